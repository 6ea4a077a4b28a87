package fault

import (
	"fmt"
	"strconv"
	"time"
)

// SMSFlood is a SIM whose number got around.
var SMSFlood = Fault{
	Name: "sms-flood",
	Doc:  "Short messages come one after the other, as +CNMI asks for them: +CMTI each as a rule. Those that came stay when the fault is cleared.",
	Params: []Param{
		number("count", "how many; 0: until the fault is cleared", 100, 0, 1_000_000),
		duration("every", "the time between two", 10*time.Millisecond, time.Millisecond, time.Hour),
		{Name: "from", Type: "text", Doc: "the sender", Default: "0312345678", Allowed: "3 to 15 digits", Valid: func(v string) bool {
			_, err := strconv.ParseUint(v, 10, 64)
			return err == nil && len(v) >= 3 && len(v) <= 15
		}},
	},
	Inject: func(t Target, p Params) (func(), error) {
		if err := t.Messages(p["from"], "1"); err != nil {
			return nil, err
		}
		return background(func(stop <-chan struct{}) {
			for n := 2; p.num("count") == 0 || n <= p.num("count"); n++ {
				if !pause(stop, p.dur("every")) {
					return
				}
				t.Messages(p["from"], fmt.Sprint(n)) // what the service centre has no room for is lost
			}
		}), nil
	},
}
