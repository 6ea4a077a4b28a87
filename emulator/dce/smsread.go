package dce

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"minato/emulator/sms"
)

func testList(x *exchange) result {
	return x.messages(func(g *messaging) result {
		if !g.text {
			x.info("+CMGL: (0-4)")
			return resultOK
		}
		line := "+CMGL: ("
		for _, s := range statusText {
			line += strconv.Quote(s) + ","
		}
		x.info(line + strconv.Quote(allStatuses) + ")")
		return resultOK
	})
}

func listUnread(x *exchange, g *messaging) result {
	return x.list(g, func(s sms.Status) bool { return s == sms.ReceivedUnread })
}

// listMessages is +CMGL=: a status, by its number in PDU mode, by its name in text mode.
func listMessages(x *exchange, g *messaging, a args) result {
	if len(a) > 1 {
		return x.wrongParameter(g)
	}
	if !g.text {
		n, ok := a.number(0, 0, 0, len(statusText))
		if !ok {
			return x.wrongParameter(g)
		}
		return x.list(g, func(s sms.Status) bool { return n == len(statusText) || n == int(s) })
	}
	want := slices.Index(statusText, a.str(0))
	if want < 0 && a.str(0) != allStatuses {
		return x.wrongParameter(g)
	}
	return x.list(g, func(s sms.Status) bool { return want < 0 || want == int(s) })
}

// list shows messages; those that were unread are read from then on.
func (x *exchange) list(g *messaging, want func(sms.Status) bool) result {
	for i, msg := range g.store(g.memories[0]).All() {
		if want(msg.Status) {
			x.info(x.showMessage(x.m.personality.sms().First.Value+i, msg)...)
			msg.MarkRead()
		}
	}
	return resultOK
}

func readMessage(x *exchange, g *messaging, a args) result {
	msg, place, ok := x.stored(a, g.memories[0])
	exists := place >= 0 && place < g.store(g.memories[0]).Size()
	switch {
	case len(a) > 1 || !ok && !(exists && x.m.personality.sms().Empty.Value):
		return cms(cmsInvalidIndex)
	case !ok:
		return resultOK
	}
	x.info(x.showMessage(-1, msg)...)
	msg.MarkRead()
	return resultOK
}

// stored finds the message whose number is the first parameter; place is -1 for what is no number. Modem.mu is held.
func (x *exchange) stored(a args, memory string) (msg *sms.Message, place int, ok bool) {
	first := x.m.personality.sms().First.Value
	n, ok := a.number(0, -1, first, 0xffff)
	if !ok {
		return nil, -1, false
	}
	msg = x.m.messages.store(memory).Get(n - first)
	return msg, n - first, msg != nil
}

// testDelete gives the places that there are, as the standard has it ("supported"), or those that are taken, as some modems do.
func testDelete(x *exchange) result {
	return x.messages(func(g *messaging) result {
		f, s := x.m.personality.sms(), g.store(g.memories[0])
		first := f.First.Value
		places := fmt.Sprintf("%d-%d", first, first+s.Size()-1)
		if f.Taken.Value {
			var taken []string
			for i := range s.All() {
				taken = append(taken, strconv.Itoa(first+i))
			}
			places = strings.Join(taken, ",")
		}
		x.info("+CMGD: (" + places + "),(0-4)")
		return resultOK
	})
}

// deleteMessage takes one message away, or with a flag all that are read, and sent, and unsent, or simply all. An empty place is
// no mistake.
func deleteMessage(x *exchange, g *messaging, a args) result {
	flag, ok := a.number(1, 0, 0, 4)
	first := x.m.personality.sms().First.Value
	s := g.store(g.memories[0])
	place, ok2 := a.number(0, -1, first, first+s.Size()-1)
	if !ok || len(a) > 2 || !ok2 && flag == 0 {
		return cms(cmsInvalidIndex)
	}
	if flag == 0 {
		s.Delete(place - first)
	} else {
		for i, msg := range s.All() {
			if flag == 4 || msg.Status == sms.ReceivedRead || flag >= 2 && msg.Status == sms.StoredSent || flag == 3 && msg.Status == sms.StoredUnsent {
				s.Delete(i)
			}
		}
	}
	return x.m.roomResult()
}

// wrongParameter is the refusal of what cannot be understood.
func (x *exchange) wrongParameter(g *messaging) result {
	if g.text {
		return cms(cmsTextParameter)
	}
	return cms(cmsPDUParameter)
}
