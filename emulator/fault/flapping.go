package fault

import "time"

// Flapping is the edge of a cell.
var Flapping = Fault{
	Name: "flapping",
	Doc:  "The modem loses its cell and finds it again, over and over: +CEREG: 2, no signal and no packet passes, then +CEREG: 1. The network keeps the session.",
	Params: []Param{
		duration("on", "how long there is a cell", 5*time.Second, time.Millisecond, time.Hour),
		duration("off", "how long there is none", 5*time.Second, time.Millisecond, time.Hour),
	},
	Inject: func(t Target, p Params) (func(), error) {
		t.SetCoverage(false)
		stop := background(func(stop <-chan struct{}) {
			for covered := false; ; covered = !covered {
				wait := p.dur("off")
				if covered {
					wait = p.dur("on")
				}
				if !pause(stop, wait) {
					return
				}
				t.SetCoverage(!covered)
			}
		})
		return func() { stop(); t.SetCoverage(true) }, nil
	},
}
