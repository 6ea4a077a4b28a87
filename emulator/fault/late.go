package fault

import (
	"context"
	"time"

	"minato/emulator/dce"
)

// LateReply is a modem that takes its time.
var LateReply = Fault{
	Name: "late-reply",
	Doc:  "Answers come late, echo and all, and the modem hears nothing meanwhile: a user who does not wait takes one for the answer to its next command.",
	Params: []Param{
		duration("delay", "how late", 3*time.Second, time.Millisecond, 10*time.Minute),
		match(),
		counted(0),
	},
	Inject: func(t Target, p Params) (func(), error) {
		left, hits := newBudget(p.num("count")), prefix(p["match"])
		cleared := make(chan struct{})
		remove := t.Hook(dce.Hook{Reply: func(ctx context.Context, _ dce.PortRef, line string, reply []byte) []byte {
			if hits(line) && left.take() {
				late := time.NewTimer(p.dur("delay"))
				defer late.Stop()
				select {
				case <-late.C:
				case <-cleared:
				case <-ctx.Done():
				}
			}
			return reply
		}})
		return func() { remove(); close(cleared) }, nil
	},
}
