package fault

import (
	"fmt"
	"time"
)

// SMSFlood is a SIM whose number got around.
var SMSFlood = Fault{
	Name: "sms-flood",
	Doc:  `Short messages come one after the other: +CMTI: "SM",n each.`,
	Params: []Param{
		number("count", "how many; 0: until the fault is cleared", 100, 0, 1_000_000),
		duration("every", "the time between two", 10*time.Millisecond, time.Millisecond, time.Hour),
	},
	Inject: func(t Target, p Params) (func(), error) {
		return background(func(stop <-chan struct{}) {
			for n := 1; p.num("count") == 0 || n <= p.num("count"); n++ {
				t.Announce(fmt.Sprintf(`+CMTI: "SM",%d`, n))
				if !pause(stop, p.dur("every")) {
					return
				}
			}
		}), nil
	},
}
