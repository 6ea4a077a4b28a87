//go:build linux

package bench

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"minato/relay/relayapi"
	"minato/testbench/env"
)

// simID is the SIM whose address is the backend's.
const simID = "8981100000000000001"

// startRelay starts minato-relay with an empty state and makes the two mappings.
func (s *stand) startRelay(ctx context.Context, p *peer) (*proxy, error) {
	api, err := env.FreePort()
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(s.file("relay")); err != nil {
		return nil, err
	}
	host, portText, err := net.SplitHostPort(s.backend.addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	sims := fmt.Sprintf("sims:\n  - {simId: %q, imsi: \"440101234567890\", address: %s}\n", simID, host)
	if err := os.WriteFile(s.file("sims.yaml"), []byte(sims), 0o600); err != nil {
		return nil, err
	}
	config, err := s.writeConfig(p, map[string]string{"API": api})
	if err != nil {
		return nil, err
	}
	x := &proxy{peer: p}
	stdout, err := os.Create(s.file("relay.key"))
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	if err := x.run(config, stdout); err != nil {
		return nil, err
	}
	return x, x.orStop(s.makeMappings(ctx, x, api, port))
}

// makeMappings waits for the API and makes a mapping with the TLS option and one without.
func (s *stand) makeMappings(ctx context.Context, x *proxy, api string, port int) error {
	client := &relayapi.Client{BaseURL: "http://" + api}
	err := env.Await(ctx, "the relay's API", func() (bool, error) {
		_, err := client.Health(ctx)
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	said, err := os.ReadFile(s.file("relay.key"))
	if err != nil {
		return err
	}
	for line := range bytes.Lines(said) {
		name, value, _ := strings.Cut(string(line), ":")
		switch strings.TrimSpace(name) {
		case "authKeyId":
			client.AuthKeyID = strings.TrimSpace(value)
		case "authKey":
			client.AuthKey = strings.TrimSpace(value)
		}
	}
	for _, m := range []struct {
		tls  bool
		addr *string
	}{{true, &x.tls}, {false, &x.plain}} {
		mapping, err := client.CreatePortMapping(ctx, relayapi.CreatePortMappingRequest{
			Destination: relayapi.Destination{SIMID: simID, Port: port},
			TLSRequired: m.tls,
		})
		if err != nil {
			return fmt.Errorf("making a mapping: %w", err)
		}
		*m.addr = mapping.Endpoint
	}
	return x.await(ctx, s)
}
