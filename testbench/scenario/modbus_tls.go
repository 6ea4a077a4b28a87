package scenario

import (
	"context"

	"minato/testbench/check"
	"minato/testbench/env"
	"minato/testbench/tunnel"
)

var modbusTLS = Scenario{
	Name: "modbus-tls",
	Doc:  "A Modbus/TCP client that knows no TLS reads and writes registers of the device through our tunnel.",
	On:   both,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 502, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		return throughTunnel(ctx, e, m, func(ctx context.Context, address string) error {
			return runOver(ctx, e, dialTCP(address), "modbus", check.Options{Modbus: check.ModbusOptions{
				Quantity: 2, Write: true, WriteAddress: 100, WriteValue: 55, // a register without effect
			}})
		})
	},
}

// throughTunnel runs our tunnel to the mapping while use does, and tells it where the tunnel listens.
func throughTunnel(ctx context.Context, e *env.Env, m *env.Mapping, use func(ctx context.Context, address string) error) error {
	roots, err := m.Client.Roots(ctx)
	if err != nil {
		return err
	}
	t, err := tunnel.New(tunnel.Config{
		Connect: m.Endpoint, ServerName: m.Hostname, RootCAs: roots, Dial: m.Client.DialContext, KeyLog: e.Secrets(),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- t.Run(ctx) }()
	defer func() { cancel(); <-done }()
	select {
	case <-t.Ready():
	case err := <-done:
		done <- nil
		return err
	}
	e.Step("tunnel open", "accept", t.Addr(), "connect", m.Endpoint)
	return use(ctx, t.Addr().String())
}
