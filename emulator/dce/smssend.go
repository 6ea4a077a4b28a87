package dce

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"minato/emulator/sms"
)

const (
	maxTPDU = 173                // octets: an SMS-STATUS-REPORT with everything (TS 23.040 section 9.2.2.3)
	maxPDU  = 2 * (maxTPDU + 12) // as it is typed, with the service centre's address
	maxText = 4 * 160            // as it is typed: hexadecimal of 160 characters in UCS2
)

// sendMessage is +CMGS=<da>[,<toda>] in text mode, +CMGS=<length> in PDU mode.
func sendMessage(x *exchange, g *messaging, a args) result {
	if g.text {
		to, ok := x.address(a, 0)
		if !ok || len(a) > 2 {
			return cms(cmsTextParameter)
		}
		return askText(func(x *exchange, body []byte) result {
			s, centre, r := x.compose(to, body)
			if !r.ok() {
				return r
			}
			return x.send("+CMGS", centre, s)
		})
	}
	return x.askPDU(a, 1, func(x *exchange, centre sms.Address, tpdu []byte) result {
		s, err := sms.ParseSubmit(tpdu)
		if err != nil {
			x.p.log.Debug("PDU refused", "error", err)
			return cms(cmsPDUParameter)
		}
		return x.send("+CMGS", centre, s)
	})
}

// askText asks for a message's text. ESC is answered with OK.
func askText(done func(x *exchange, body []byte) result) result {
	r := textResult(maxText, func(x *exchange, body []byte, given bool) result {
		switch {
		case !given && body != nil:
			return cms(cmsTextParameter) // too long for anything
		case !given:
			return resultOK
		}
		return done(x, body)
	})
	r.text.lines = true
	return r
}

// askPDU asks for a PDU whose TPDU has as many octets as the first parameter says. Modem.mu is held.
func (x *exchange) askPDU(a args, maxArgs int, done func(x *exchange, centre sms.Address, tpdu []byte) result) result {
	length, ok := a.number(0, -1, 1, maxTPDU)
	if !ok || len(a) > maxArgs {
		return cms(cmsPDUParameter)
	}
	return textResult(maxPDU, func(x *exchange, body []byte, given bool) result {
		if !given && body == nil {
			return resultOK
		}
		body = slices.DeleteFunc(body, func(c byte) bool { return c == '\r' || c == '\n' })
		pdu, err := hex.DecodeString(string(body))
		if !given || err != nil {
			return cms(cmsPDUParameter)
		}
		centre, tpdu, err := sms.SplitCentre(pdu)
		if err != nil || len(tpdu) != length {
			return cms(cmsPDUParameter)
		}
		return done(x, centre, tpdu)
	})
}

// compose makes a message of a text, by the parameters of +CSMP.
func (x *exchange) compose(to sms.Address, body []byte) (s *sms.Submit, centre sms.Address, r result) {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	g := &x.m.messages
	d := g.defaults
	u, ok := typedData(x.m.charsetLocked(), d.dcs, d.firstOctet&0x40 != 0, body)
	if !ok {
		return nil, g.centre, cms(cmsTextParameter)
	}
	s = &sms.Submit{
		RejectDuplicates: d.firstOctet&0x04 != 0, StatusReport: d.firstOctet&0x20 != 0, ReplyPath: d.firstOctet&0x80 != 0,
		Destination: to, PID: d.pid, DCS: d.dcs, Validity: d.validity(), UserData: u,
	}
	if _, err := s.Encode(); err != nil {
		x.p.log.Debug("message refused", "error", err)
		return nil, g.centre, cms(cmsTextParameter)
	}
	return s, g.centre, resultOK
}

// typedData is what showData shows, the other way (TS 27.005 section 3.5.1).
func typedData(charset string, dcs byte, header bool, body []byte) (sms.UserData, bool) {
	a, _ := sms.Coding(dcs)
	if a == sms.GSM7 && !header {
		text, ok := fromTE(charset, body)
		if !ok {
			return sms.UserData{}, false
		}
		septets, err := sms.EncodeGSM(text)
		return sms.UserData{Data: septets}, err == nil
	}
	octets, err := hex.DecodeString(string(body))
	if err != nil || len(octets) > 140 {
		return sms.UserData{}, false
	}
	length := len(octets)
	if a == sms.GSM7 {
		length = 8 * length / 7
	}
	u, err := sms.DecodeUserData(dcs, header, byte(length), octets)
	return u, err == nil
}

// send gives a message to the network and tells its reference.
func (x *exchange) send(command string, centre sms.Address, s *sms.Submit) result {
	x.wait(x.m.personality.sms().Send)
	x.m.mu.Lock()
	g := &x.m.messages
	if centre == (sms.Address{}) {
		centre = g.centre
	}
	imsi, fixed, reachable := x.m.sim.card.IMSI, x.m.sim.second.fixed, x.m.reg.stat.registered() && x.m.centre != nil
	if reachable && !fixed && centre != (sms.Address{}) {
		g.reference++
		s.Reference = g.reference
		g.sending[x.p] = struct{}{}
	}
	x.m.mu.Unlock()
	switch {
	case fixed:
		return cms(cmsNotAllowed)
	case !reachable:
		return cms(cmsNoNetwork)
	case centre == (sms.Address{}):
		return cms(cmsCentreUnknown)
	}
	r := resultOK
	if err := x.m.centre.Submit(imsi, centre, s); err != nil {
		x.p.log.Info("the network refuses a short message", "error", err)
		r = cmsOfNetwork(err)
	} else {
		x.info(fmt.Sprintf("%s: %d", command, s.Reference))
	}
	r.after = x.sent
	return r
}

// sent lets messages in again, once the result is on the line: a report names the message by the reference in it, and may come on
// another port, or another channel of the same line.
func (x *exchange) sent() {
	x.p.settle()
	x.m.mu.Lock()
	delete(x.m.messages.sending, x.p)
	x.m.mu.Unlock()
	x.m.poke()
}

// sendStored is +CMSS=<index>[,<da>[,<toda>]].
func sendStored(x *exchange, a args) result {
	var msg *sms.Message
	var s *sms.Submit
	r := cardSet(func(x *exchange, g *messaging, a args) result {
		var ok bool
		if msg, _, ok = x.stored(a, g.memories[1]); !ok || len(a) > 3 {
			return cms(cmsInvalidIndex)
		}
		var err error
		if s, err = sms.ParseSubmit(msg.TPDU); err != nil || !msg.Outgoing() {
			return cms(cmsNotAllowed)
		}
		if a.at(1).given {
			if s.Destination, ok = x.address(a, 1); !ok {
				return x.wrongParameter(g)
			}
		}
		return resultOK
	})(x, a)
	if !r.ok() {
		return r
	}
	if r = x.send("+CMSS", msg.Centre, s); r.ok() {
		x.m.mu.Lock()
		msg.Status = sms.StoredSent
		x.m.mu.Unlock()
	}
	return r
}

func writeEmpty(x *exchange, g *messaging) result { return writeMessage(x, g, nil) }

// writeMessage is +CMGW[=<oa/da>[,<tooa/toda>[,<stat>]]] in text mode, +CMGW=<length>[,<stat>] in PDU mode.
func writeMessage(x *exchange, g *messaging, a args) result {
	if !g.text {
		n, ok := a.number(1, int(sms.StoredUnsent), 0, 3)
		if !ok {
			return cms(cmsPDUParameter)
		}
		return x.askPDU(a, 2, func(x *exchange, centre sms.Address, tpdu []byte) result {
			return x.store(sms.Message{Status: sms.Status(n), Centre: centre, TPDU: tpdu}, cmsPDUParameter)
		})
	}
	var with sms.Address
	ok := true
	if a.at(0).given {
		with, ok = x.address(a, 0)
	}
	status := int(sms.StoredUnsent)
	if a.at(2).given {
		status = slices.Index(statusText, a.str(2))
	}
	if !ok || status < 0 || len(a) > 3 {
		return cms(cmsTextParameter)
	}
	return askText(func(x *exchange, body []byte) result {
		s, centre, r := x.compose(with, body)
		if !r.ok() {
			return r
		}
		var t sms.TPDU = s
		if status <= int(sms.ReceivedRead) {
			x.m.mu.Lock()
			written := x.m.timeLocked().Truncate(time.Second) // by no centre: the modem's clock has to do
			x.m.mu.Unlock()
			t = &sms.Deliver{Origin: with, PID: s.PID, DCS: s.DCS, Time: written, UserData: s.UserData}
		}
		tpdu, err := t.Encode()
		if err != nil {
			return cms(cmsTextParameter)
		}
		return x.store(sms.Message{Status: sms.Status(status), Centre: centre, TPDU: tpdu}, cmsTextParameter)
	})
}

// store keeps a message in the storage for writing; refusal is for one that is none.
func (x *exchange) store(msg sms.Message, refusal int) result {
	if _, err := msg.Parse(); err != nil {
		x.p.log.Debug("message refused", "error", err)
		return cms(refusal)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	g := &x.m.messages
	if r, ok := x.m.sim.check(); !ok { // the card went while the text was typed
		return cms(cmsOfCard(r.cause.number))
	}
	place, ok := g.store(g.memories[1]).Add(msg)
	if !ok {
		return cms(cmsMemoryFull)
	}
	x.info(fmt.Sprintf("+CMGW: %d", x.m.personality.sms().First.Value+place))
	r := resultOK
	r.after = x.m.tellIndicators
	return r
}
