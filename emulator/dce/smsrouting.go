package dce

import (
	"fmt"
	"slices"

	"minato/emulator/sms"
)

func readRouting(x *exchange) result {
	return x.messages(func(g *messaging) result {
		r := g.routing
		x.info(fmt.Sprintf("+CNMI: %d,%d,%d,%d,%d", r[0], r[1], r[2], r[3], r[4]))
		return resultOK
	})
}

func testRouting(x *exchange) result {
	x.info("+CNMI: " + x.m.personality.sms().Routing.Value)
	return resultOK
}

// setRouting is +CNMI=. What is left out stays as it is. Results that <mode> 0 kept back are told now, or forgotten with <bfr> 1.
func setRouting(x *exchange, a args) result {
	allowed, err := parseRanges(x.m.personality.sms().Routing.Value)
	if err != nil || len(a) > len(allowed) {
		return cms(cmsNotSupported)
	}
	x.m.mu.Lock()
	g := &x.m.messages
	next := g.routing
	for i := range a {
		n, ok := a.number(i, next[i], 0, 9)
		if !ok || !slices.Contains(allowed[i], n) {
			x.m.mu.Unlock()
			return cms(cmsNotSupported)
		}
		next[i] = n
	}
	g.routing = next
	told := g.letGo()
	x.m.mu.Unlock()
	if len(told) == 0 {
		return resultOK
	}
	r := resultOK
	r.after = func() {
		for _, text := range told {
			x.m.tell(text, next[0] == 2)
		}
	}
	return r
}

// letGo gives the results to tell that <mode> 0 kept back and the mode that is set now does not.
func (g *messaging) letGo() (told []string) {
	if g.routing[0] == 0 {
		return nil
	}
	if g.routing[4] == 0 {
		told = g.held
	}
	g.held = nil
	return told
}

func testAcknowledge(x *exchange) result {
	return x.messages(func(g *messaging) result {
		if !g.text {
			x.info("+CNMA: (0-2)")
		}
		return resultOK
	})
}

// acknowledge is +CNMA: the TE has the message.
func acknowledge(x *exchange) result { return x.settle(true) }

// acknowledgePDU is +CNMA=<n>, for PDU mode only: 0 and 1 say yes, 2 says no.
func acknowledgePDU(x *exchange, a args) result {
	n, ok := a.number(0, 0, 0, 2)
	x.m.mu.Lock()
	text := x.m.messages.text
	x.m.mu.Unlock()
	if !ok || text || len(a) > 1 {
		return cms(cmsNotAllowed)
	}
	return x.settle(n != 2)
}

func (x *exchange) settle(yes bool) result {
	x.m.mu.Lock()
	d := x.m.messages.unacked
	x.m.messages.unacked = nil
	x.m.mu.Unlock()
	switch {
	case d == nil:
		return cms(cmsNoAckExpected)
	case yes:
		x.m.centre.Acknowledge(*d)
	default:
		x.m.centre.Refuse(*d, sms.CauseProtocol)
	}
	r := resultOK
	r.after = x.m.poke // the next one may come
	return r
}
