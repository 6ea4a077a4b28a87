package scenario

import (
	"context"
	"fmt"
	"time"

	"minato/testbench/check"
	"minato/testbench/connect"
	"minato/testbench/env"
	"minato/testbench/field"
	"minato/testbench/report"
)

var fieldCheck = Scenario{
	Name: "field-check",
	Doc:  "The technician's check finds a whole path well, names the one service that is not there (R09), and leaves no mapping.",
	On:   userspace,
	Run: func(ctx context.Context, e *env.Env) error {
		client, err := e.Client(0)
		if err != nil {
			return err
		}
		relay, err := client.Relay()
		if err != nil {
			return err
		}
		defer relay.Close()
		services, err := field.ParseServices([]string{"vnc", "modbus", "http", "ssh", "https=9"})
		if err != nil {
			return err
		}
		c, err := field.New(field.Config{Relay: relay, SIM: e.SIM().ID, Services: services, Late: time.Minute, Progress: func(r report.Result) {
			e.Step(r.Name, "status", r.Status, "code", r.Code, "error", r.Err, "says", r.Doc)
		}})
		if err != nil {
			return err
		}
		result, err := c.Run(ctx)
		if err != nil {
			return err
		}
		for _, r := range result.Results {
			want := report.Pass
			if r.Name == "https" {
				want = report.Fail
			}
			if r.Status != want || want == report.Fail && r.Code != "R09" {
				return fmt.Errorf("%s: %s %s %s, wanted %s", r.Name, r.Status, r.Code, r.Err, want)
			}
		}
		return expectNoMappings(ctx, client)
	},
}

var connectVNC = Scenario{
	Name: "connect-vnc",
	Doc:  "connect makes the mapping, opens a tunnel through which a viewer sees the screen, and removes the mapping when it is interrupted.",
	On:   kernel,
	Run: func(ctx context.Context, e *env.Env) error {
		client, err := e.Client(0)
		if err != nil {
			return err
		}
		relay, err := client.Relay()
		if err != nil {
			return err
		}
		defer relay.Close()
		opened := make(chan connect.Open, 1)
		cfg := connect.Config{Relay: relay, SIM: e.SIM().ID, Port: 5900, TLS: true, Open: func(o connect.Open) { opened <- o }}
		err = e.While(ctx, func(ctx context.Context) error { return connect.Run(ctx, cfg) }, func(ctx context.Context) error {
			select {
			case o := <-opened:
				return runOver(ctx, e, dialTCP(o.Address.String()), "vnc", check.Options{})
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		if err != nil {
			return err
		}
		return expectNoMappings(ctx, client)
	},
}
