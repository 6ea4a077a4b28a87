package field

import (
	"context"
	"fmt"
	"strings"

	"minato/agent"
	"minato/testbench/access"
)

// Doctor asks the agent of this device, over its status socket, and reads its doctor's tree of checks: what is wrong between the modem and the
// services, which nobody beside the device can see.
func Doctor(socket string) func(context.Context) (string, []string, *access.Problem) {
	return func(ctx context.Context) (string, []string, *access.Problem) {
		status, err := agent.NewClient(socket).Status(ctx)
		if err != nil {
			return "", nil, &access.Problem{Text: "the agent of this device does not answer on " + socket, Cure: "start minato-agent, or run minato-agent doctor -c FILE while it is stopped", Err: err}
		}
		top := status.Checks()
		var log []string
		flatten(top, 0, &log)
		if cause := top.Cause(); cause != nil {
			return "", log, &access.Problem{Code: string(cause.Code), Text: cause.Name + ": " + cause.Detail, Cure: cause.Hint}
		}
		said := fmt.Sprintf("%s, %d services", status.State, len(status.Services))
		if status.Signal != nil {
			said += ", signal " + status.Signal.String()
		}
		return said, log, nil
	}
}

// flatten writes the tree with two blanks a level.
func flatten(c agent.Check, depth int, log *[]string) {
	word := "ok"
	switch {
	case c.Skipped:
		word = "not looked at"
	case !c.OK:
		word = "FAIL " + string(c.Code)
	}
	*log = append(*log, strings.TrimRight(fmt.Sprintf("%s%s: %s %s", strings.Repeat("  ", depth), c.Name, word, c.Detail), " "))
	for _, below := range c.Checks {
		flatten(below, depth+1, log)
	}
}
