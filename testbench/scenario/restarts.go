package scenario

import (
	"context"
	"fmt"
	"time"

	"minato/testbench/check"
	"minato/testbench/env"
)

var relayRestart = Scenario{
	Name:  "relay-restart",
	Doc:   "A relay that is restarted opens the same port for the same mapping again, and the client and the audit log go on as before.",
	On:    kernel,                                         // where a port may be opened again while its old connections rest
	Setup: func(cfg *env.Config) { cfg.Programs = false }, // what is stopped is a part of this process
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		if err := run(ctx, e, m, "http", check.Options{}); err != nil {
			return err
		}
		if err := e.StopPart("relay"); err != nil {
			return err
		}
		if err := expectRefusedPort(ctx, m); err != nil {
			return err
		}
		if err := e.StartPart(ctx, "relay"); err != nil {
			return err
		}
		if err := run(ctx, e, m, "http", check.Options{}); err != nil {
			return fmt.Errorf("after the restart: %w", err)
		}
		all, err := m.Client.API.ListPortMappings(ctx)
		if err != nil {
			return err
		}
		if len(all) != 1 || all[0].Endpoint != m.Endpoint || all[0].ExpiredTime != m.ExpiredTime {
			return fmt.Errorf("the relay has %+v after the restart, wanted the mapping %s as it was", all, m.Endpoint)
		}
		return nil
	},
}

var networkRestart = Scenario{
	Name: "network-restart",
	Doc:  "Modem and network vanish in the middle of everything and come back: the agent finds its ports again and the mapping works.",
	On:   userspace,
	Run:  func(ctx context.Context, e *env.Env) error { return restartAndRead(ctx, e, "emulator") },
}

var agentRestart = Scenario{
	Name: "agent-restart",
	Doc:  "An agent that is started again finds a modem in an unknown state, brings it online, and the mapping works.",
	On:   userspace,
	Run:  func(ctx context.Context, e *env.Env) error { return restartAndRead(ctx, e, "agent") },
}

// restartAndRead reads the device's page before and after a restart of a part, through the same mapping.
func restartAndRead(ctx context.Context, e *env.Env, part string) error {
	m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
	if err != nil {
		return err
	}
	if err := run(ctx, e, m, "http", check.Options{}); err != nil {
		return err
	}
	began := time.Now()
	if err := e.StopPart(part); err != nil {
		return err
	}
	if err := e.StartPart(ctx, part); err != nil {
		return err
	}
	if err := awaitPage(ctx, e, m); err != nil {
		return err
	}
	e.Step("the page is back", "after", time.Since(began).Round(time.Millisecond))
	return nil
}

// awaitPage waits until the device's page is read again: the network may show a session a moment before the agent's services listen on it.
func awaitPage(ctx context.Context, e *env.Env, m *env.Mapping) error {
	return env.Await(ctx, "the page of the device", func() (bool, error) {
		_, err := check.HTTP(ctx, m.Dialer(), check.Options{Timeout: 5 * time.Second})
		return err == nil, err
	})
}
