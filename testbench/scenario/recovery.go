package scenario

import (
	"context"
	"fmt"
	"time"

	"minato/agent"
	"minato/agent/modem"
	"minato/testbench/check"
	"minato/testbench/env"
)

// recovery is a story of a link that is lost in one of the ways in which links are lost: the agent notices, comes back by itself, and the mapping
// that was made before works again.
type recovery struct {
	name, doc string
	fault     string
	says      func(agent.Status) bool // what the agent tells of it
	clear     bool                    // the fault lasts until it is cleared, which is done once the agent has told of it
}

var recoveries = []recovery{
	{"ppp-terminated", "The network ends PPP (LCP Terminate-Request): the agent says yes, dials again, and the mapping works.", "terminate-request", counts(agent.DeadLink), false},
	{"context-deactivated", "The network deactivates the PDP context (+CGEV): the agent notices and dials again.", "deact", counts(agent.DeadLink), false},
	{"detached", "The network detaches the device: the agent waits for registration and dials again.", "detach", counts(agent.DeadLink), true},
	{"modem-rebooted", "The modem restarts by itself: the agent waits for it, sets it up anew and dials.", "reboot", counts(agent.DeadLink), false},
	{"port-vanished", "The modem's port is pulled and comes back: the agent opens it again.", "port-vanish", counts(agent.NoModem), true},
	{"registration-denied", "Registration is denied for a while: the agent says so, keeps trying and is back when it is allowed.", "registration-denied", isDenied, true},
	{"sim-pulled", "The SIM is pulled out and put back: the agent names it meanwhile and comes back.", "sim-out", counts(agent.SIM), true},
	{"auth-refused", "The network refuses the password for a while: the agent names the cause, tries again with patience and comes back.", "auth-refused", counts(agent.PPPAuth), true},
}

// counts wants the agent to have counted a failure with a code.
func counts(code agent.Code) func(agent.Status) bool {
	return func(s agent.Status) bool { return s.Failures[code] > 0 }
}

func isDenied(s agent.Status) bool { return s.Registration == modem.RegistrationDenied.String() }

func (r recovery) scenario() Scenario {
	return Scenario{
		Name: r.name, Doc: r.doc, On: kernel, Timeout: 4 * time.Minute,
		Run: func(ctx context.Context, e *env.Env) error {
			m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
			if err != nil {
				return err
			}
			if err := run(ctx, e, m, "http", check.Options{}); err != nil {
				return err
			}
			before, err := e.ReadSIM(ctx)
			if err != nil {
				return err
			}
			if err := e.Inject(ctx, r.fault, nil); err != nil {
				return err
			}
			if r.fault == "auth-refused" { // which is asked at a dial only
				if err := e.Inject(ctx, "no-carrier", nil); err != nil {
					return err
				}
			}
			began := time.Now()
			if err := env.Await(ctx, "the session to end", func() (bool, error) {
				sim, err := e.ReadSIM(ctx)
				return !sim.Online || sim.Since.After(before.Since), err
			}); err != nil {
				return err
			}
			if err := env.Await(ctx, "the agent to tell of it", func() (bool, error) {
				status, err := e.AgentStatus(ctx)
				return r.says(status), err
			}); err != nil {
				return err
			}
			if r.clear {
				if err := e.ClearFaults(ctx); err != nil {
					return err
				}
			}
			if _, err := e.AwaitOnline(ctx, before.Since); err != nil {
				return err
			}
			if err := awaitPage(ctx, e, m); err != nil {
				return fmt.Errorf("the device is online again: %w", err)
			}
			e.Step("the page is back", "after", time.Since(began).Round(time.Millisecond))
			return nil
		},
	}
}
