package relay

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Bounds of asking an agent for its status.
const (
	agentStatusTimeout = 10 * time.Second
	agentStatusBytes   = 256 << 10
)

// getAgentStatus asks the agent on a device for its status and passes it on.
func (r *Relay) getAgentStatus(c *call) (any, error) {
	sim, err := r.simByID(c, c.PathValue("sim_id"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c.Context(), agentStatusTimeout)
	defer cancel()
	status, err := r.askAgent(ctx, sim.ID)
	if err != nil {
		r.log.Debug("asking an agent for its status", "sim", sim.ID, "error", err)
		return nil, apiErrorf(http.StatusNotFound, codeNoAgent, "the device offers no agent status on port %d", int(r.cfg.AgentStatusPort))
	}
	return status, nil
}

// askAgent fetches the document, on a connection of its own.
func (r *Relay) askAgent(ctx context.Context, simID string) (json.RawMessage, error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return r.dialDevice(ctx, simID, r.cfg.AgentStatusPort)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/v1/status", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the agent answers %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, agentStatusBytes))
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage // whatever is in it
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, err
	}
	return body, nil
}
