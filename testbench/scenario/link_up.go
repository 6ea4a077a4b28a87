package scenario

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"minato/testbench/env"
)

var linkUp = Scenario{
	Name: "link-up",
	Doc:  "The agent takes the modem from its port to an IP address, and the network sees the SIM online.",
	On:   kernel,
	Run: func(ctx context.Context, e *env.Env) error {
		sim, err := e.AwaitOnline(ctx, time.Time{})
		if err != nil {
			return err
		}
		addr, err := netip.ParseAddr(sim.IPAddress)
		if err != nil || !netip.MustParsePrefix("10.128.0.0/9").Contains(addr) {
			return fmt.Errorf("the device's address %q is not one of the closed network's 10.128.0.0/9", sim.IPAddress)
		}
		status, err := e.AgentStatus(ctx)
		if err != nil {
			return err
		}
		if status.Address != addr {
			return fmt.Errorf("the agent says its address is %s, the network says %s", status.Address, addr)
		}
		e.Step("online", "imsi", sim.IMSI, "address", sim.IPAddress)
		return nil
	},
}
