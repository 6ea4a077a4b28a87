package dce

import (
	"fmt"
	"regexp"
	"time"
)

// clockCommands is the clock (TS 27.007 section 8.15), which the network sets right when the modem is switched on.
func clockCommands() []command {
	return []command{
		{name: "+CCLK", read: readClock, test: says(), set: setClock},
	}
}

// quarter is the unit of time zones (TS 23.040 section 9.2.3.11).
const quarter = 15 * 60 // seconds

// clockFormat is yy/MM/dd,hh:mm:ss; ±zz follows.
const clockFormat = "06/01/02,15:04:05"

var clockZone = regexp.MustCompile(`^(.{17})([+-])([0-9]{2})$`)

func readClock(x *exchange) result {
	x.m.mu.Lock()
	now := time.Now().Add(x.m.clock).In(time.FixedZone("", x.m.zone*quarter))
	zone := x.m.zone
	x.m.mu.Unlock()
	x.info(fmt.Sprintf(`+CCLK: "%s%+03d"`, now.Format(clockFormat), zone))
	return resultOK
}

func setClock(x *exchange, a args) result {
	parts := clockZone.FindStringSubmatch(a.str(0))
	if len(a) != 1 || !a.at(0).quoted || parts == nil {
		return cmeError(cmeIncorrectParams)
	}
	zone := int(parts[3][0]-'0')*10 + int(parts[3][1]-'0')
	if parts[2] == "-" {
		zone = -zone
	}
	then, err := time.ParseInLocation(clockFormat, parts[1], time.FixedZone("", zone*quarter))
	if err != nil || zone < -48 || zone > 56 { // the zones that there are on earth
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.m.clock, x.m.zone = time.Until(then), zone
	return resultOK
}
