package field_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"minato/testbench/access/accesstest"
	"minato/testbench/field"
	"minato/testbench/report"
)

// TestInterrupted ends the check at every call that it makes of the relay, before the call is sent and after its answer has come: nothing may be left.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	e := world(t, nil)
	u := of(t, e)
	u.services = "modbus,ssh"
	services, err := field.ParseServices(strings.Split(u.services, ","))
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n++ {
		for _, after := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			r := u.relay(t)
			end := accesstest.At(r, n, after, cancel)
			c, err := field.New(field.Config{Relay: r, SIM: u.sim, Services: services})
			if err != nil {
				t.Fatal(err)
			}
			run, err := c.Run(ctx)
			cancel()
			expectNoMapping(t, u, nil)
			if !end.Reached() { // it made fewer calls: all have been tried
				if n < 10 {
					t.Errorf("the check made %d calls only", n)
				}
				return
			}
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("call %d: error %v", n, err)
			}
			for _, result := range run.Results {
				if result.Status == report.Fail {
					t.Errorf("call %d: an interruption is told as a failure: %s %s", n, result.Name, result.Err)
				}
			}
		}
	}
}
