package dce

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// basicCommands are those of V.250 and of Hayes modems.
func basicCommands() []command {
	return []command{
		{name: "E", basic: flag(func(s *settings, on bool) { s.echo = on })},
		{name: "V", basic: flag(func(s *settings, on bool) { s.verbose = on })},
		{name: "Q", basic: flag(func(s *settings, on bool) { s.quiet = on })},
		{name: "X", basic: level(4, func(s *settings, n int) { s.x = n })},
		{name: "&C", basic: level(1, func(s *settings, n int) { s.c = n })},
		{name: "&D", basic: level(2, func(s *settings, n int) { s.d = n })},
		{name: "&F", basic: level(0, nil, factoryReset)},
		{name: "Z", basic: profileReset},
		{name: "&W", basic: profileStore},
		{name: "&V", basic: level(0, nil, profileView)},
		{name: "S", basic: register},
		{name: "D", basic: dialCommand},
		{name: "H", basic: level(0, nil, hangUpCommand)},
		{name: "O", basic: level(0, nil, returnCommand)},
		{name: "L", basic: level(3, nil)},
		{name: "M", basic: level(2, nil)},
		{name: "P", basic: level(0, nil)},
		{name: "T", basic: level(0, nil)},
		{name: "&S", basic: level(1, nil)},
		{name: "&K", basic: level(6, nil)},
		{name: "+CMEE", read: readCMEE, test: says("+CMEE: (0,1,2)"), set: setCMEE},
		{name: "+CLAC", exec: listCommands, test: says()},
	}
}

// flag is a command that takes 0 or 1.
func flag(set func(s *settings, on bool)) func(*exchange, invocation) result {
	return level(1, func(s *settings, n int) { set(s, n == 1) })
}

// level is a command that takes a number up to hi, sets something, and does something.
func level(hi int, set func(s *settings, n int), do ...handler) func(*exchange, invocation) result {
	return func(x *exchange, inv invocation) result {
		if inv.num > hi {
			return resultError
		}
		if set != nil {
			x.p.change(func(s *settings) { set(s, inv.num) })
		}
		for _, h := range do {
			return h(x)
		}
		return resultOK
	}
}

func profileView(x *exchange) result {
	s := x.p.settings()
	x.info(fmt.Sprintf("&C: %d", s.c), fmt.Sprintf("&D: %d", s.d), "&F: 0", "&W: 0",
		"E: "+bit(s.echo), "Q: "+bit(s.quiet), "V: "+bit(s.verbose), fmt.Sprintf("X: %d", s.x), "Z: 0")
	for _, n := range []int{0, 3, 4, 5, 6, 7, 8, 10} {
		x.info(fmt.Sprintf("S%d: %d", n, s.reg(n)))
	}
	return resultOK
}

func bit(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// register is S<n>= and S<n>?.
func register(x *exchange, inv invocation) result {
	r, known := registers[inv.num]
	if !known {
		return resultError
	}
	if inv.form == formRead {
		s := x.p.settings()
		x.info(fmt.Sprintf("%03d", s.reg(inv.num)))
		return resultOK
	}
	n, err := strconv.Atoi(inv.text)
	if inv.text == "" { // V.250 section 5.3.2: left out means 0
		n, err = 0, nil
	}
	if err != nil || n < r.lo || n > r.hi {
		return resultError
	}
	x.p.change(func(s *settings) { s.s[inv.num] = byte(n) })
	return resultOK
}

// dialSyntax is TS 27.007 sections 10.2.1.1 and 10.2.1.2: *99[*[address][*[L2P][*cid]]]# and *98. Programs for SIM70xx write a second #.
var dialSyntax = regexp.MustCompile(`^\*9[89](?:\*[^*#]*(?:\*(PPP|ppp|1)?(?:\*([0-9]{1,3}))?)?)?#+$`)

func dialCommand(x *exchange, inv invocation) result {
	number := strings.ReplaceAll(inv.text, " ", "")
	number = strings.TrimLeft(number, "TtPp")
	parts := dialSyntax.FindStringSubmatch(number)
	if parts == nil {
		return resultNoCarrier // a voice or circuit-switched call: the SIM is for data only
	}
	cid := 1
	if parts[2] != "" {
		cid, _ = strconv.Atoi(parts[2]) // one to three digits
	}
	return x.dial(cid)
}

// dial is the common part of D and +CGDATA.
func (x *exchange) dial(cid int) result {
	x.p.mu.Lock()
	busy := x.p.call != nil
	x.p.mu.Unlock()
	if busy {
		return resultError // in online command state: O goes back
	}
	early := x.m.scaled(x.m.personality.Quirks.EarlyDial.Value)
	hasty := !x.p.done.IsZero() && time.Since(x.p.done) < early
	if !slices.Contains(x.m.personality.Ports.Data.Value, x.p.base) || !x.waitAbortable(x.m.personality.Delays.Dial) || hasty {
		return resultNoCarrier
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	c := x.m.contexts[cid]
	switch {
	case c == nil || c.call != nil:
		return resultError
	case !x.m.reg.stat.registered():
		if x.m.reg.stat != RegistrationDenied { // why it is, +CEER tells already
			x.m.lastCause = "No cause information available"
		}
		return resultNoCarrier
	case x.m.secondPDNLocked(c, nil):
		x.m.lastCause = causeText(errSecondPDN)
		return resultNoCarrier
	}
	r := connectResult(dial{cid: cid})
	r.silent = x.m.personality.Quirks.CMERDial.Value && x.m.cmer[0] > 0
	return r
}

func hangUpCommand(x *exchange) result {
	x.p.hangUp(hangUpLocal)
	x.m.endVoice(false)
	return resultOK
}

func returnCommand(x *exchange) result {
	x.p.mu.Lock()
	c := x.p.call
	x.p.mu.Unlock()
	if c == nil {
		return resultNoCarrier
	}
	return connectResult(dial{cid: c.cid, resume: true})
}

func readCMEE(x *exchange) result {
	x.info(fmt.Sprintf("+CMEE: %d", x.p.settings().cmee))
	return resultOK
}

func setCMEE(x *exchange, a args) result {
	n, ok := a.number(0, 0, 0, 2)
	if !ok || len(a) > 1 {
		return resultError
	}
	x.p.change(func(s *settings) { s.cmee = n })
	return resultOK
}

func listCommands(x *exchange) result {
	for _, name := range x.m.names {
		x.info("AT" + name)
	}
	return resultOK
}
