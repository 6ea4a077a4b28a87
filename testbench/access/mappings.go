package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"minato/relay/relayapi"
)

// Mappings makes port mappings and remembers them until they are removed. Safe for concurrent use.
type Mappings struct {
	Relay *Relay

	mu   sync.Mutex
	made []relayapi.PortMapping              // guarded by mu
	lost []relayapi.CreatePortMappingRequest // guarded by mu: sent, and no answer came
	from time.Time                           // guarded by mu: when the first was asked for, by the relay's clock
}

// Make makes one. The call is not ended by ctx once it is sent, since a mapping that the relay has made and nobody knows of could not be removed.
func (m *Mappings) Make(ctx context.Context, req relayapi.CreatePortMappingRequest) (*relayapi.PortMapping, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	m.begin()
	made, err := m.Relay.API.CreatePortMapping(ctx, req)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.made = append(m.made, *made)
		return made, nil
	}
	var refused *relayapi.Error
	if !errors.As(err, &refused) {
		m.lost = append(m.lost, req)
	}
	return nil, m.Relay.Explain(err)
}

func (m *Mappings) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.from.IsZero() {
		ahead, _ := m.Relay.Ahead()
		m.from = m.Relay.Now().Add(-ahead - 2*time.Second) // the Date header has whole seconds
	}
}

// Remove ends one mapping. One that has ended by itself is no error.
func (m *Mappings) Remove(ctx context.Context, p *relayapi.PortMapping) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	err := m.Relay.API.DeletePortMapping(ctx, p.IPAddress, p.Port)
	var refused *relayapi.Error
	if err != nil && (!errors.As(err, &refused) || refused.Status != http.StatusNotFound) {
		return fmt.Errorf("the mapping %s could not be removed and ends by itself at %s: %w",
			p.Endpoint, time.UnixMilli(p.ExpiredTime).Format(time.TimeOnly), m.Relay.Explain(err))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made = slices.DeleteFunc(m.made, func(o relayapi.PortMapping) bool { return o.Endpoint == p.Endpoint })
	return nil
}

// Close removes every mapping that is left, also after ctx has ended.
func (m *Mappings) Close(ctx context.Context) error {
	m.findLost(ctx)
	m.mu.Lock()
	left := slices.Clone(m.made)
	m.mu.Unlock()
	errs := make(chan error, len(left))
	for _, p := range left {
		go func() { errs <- m.Remove(ctx, &p) }() // ends within callTimeout
	}
	var err error
	for range left {
		err = errors.Join(err, <-errs)
	}
	return err
}

// findLost looks for mappings whose answer was lost: to the same port of the same SIM, made since we began. Should the relay not answer now
// either, they end by themselves.
func (m *Mappings) findLost(ctx context.Context) {
	m.mu.Lock()
	lost, from := m.lost, m.from
	m.lost = nil
	m.mu.Unlock()
	if len(lost) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	all, err := m.Relay.API.ListPortMappings(ctx)
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range all {
		same := func(req relayapi.CreatePortMappingRequest) bool {
			return req.Destination.SIMID == p.Destination.SIMID && req.Destination.Port == p.Destination.Port &&
				req.TLSRequired == p.TLSRequired && req.Duration != nil && *req.Duration == p.Duration
		}
		if p.CreatedTime >= from.UnixMilli() && slices.ContainsFunc(lost, same) {
			m.made = append(m.made, p)
		}
	}
}
