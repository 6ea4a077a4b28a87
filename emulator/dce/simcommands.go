package dce

import (
	"fmt"
	"slices"
	"strings"
)

// simCommands are about the card (TS 27.007 sections 5.6, 7.1, 7.4, 7.5, 8.3, 8.17, 8.18).
func simCommands() []command {
	return []command{
		{name: "+CPIN", read: readPIN, test: says(), set: enterPIN},
		{name: "+CIMI", needs: needSIM, exec: subscriberIdentity, test: says()},
		{name: "+CNUM", needs: needSIM, exec: subscriberNumber, test: says()},
		{name: "+CLCK", needs: needSIM, test: says(`+CLCK: ("SC","FD","PN","PU","PP","PC","PF")`), set: facilityLock},
		{name: "+CPWD", needs: needSIM, test: says(`+CPWD: ("SC",8),("P2",8)`), set: changePassword},
		{name: "+CRSM", needs: needCard, test: says(), set: restrictedSIM},
		{name: "+CSIM", needs: needCard, test: says(), set: genericSIM},
	}
}

func readPIN(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sim := &x.m.sim
	switch {
	case x.m.functions == 0:
		return cmeError(cmeSIMFailure)
	case !sim.inserted:
		return cmeError(cmeSIMNotInserted)
	case sim.badPUK >= pukTries:
		return cmeError(cmeSIMFailure)
	}
	x.info("+CPIN: " + sim.status())
	return resultOK
}

// enterPIN takes a PIN, or a PUK and a new PIN. A good one lets the SIM come up, which is told as at boot.
func enterPIN(x *exchange, a args) result {
	if len(a) < 1 || len(a) > 2 || !pinLike(a.str(0)) || len(a) == 2 && !pinLike(a.str(1)) {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	sim := &x.m.sim
	var r result
	switch {
	case !sim.inserted:
		r = cmeError(cmeSIMNotInserted)
	case sim.ready():
		r = cmeError(cmeNotAllowed)
	case sim.badPUK >= pukTries:
		r = cmeError(cmeSIMFailure)
	case sim.badPIN >= pinTries && len(a) == 2:
		r = sim.unblock(a.str(0), a.str(1))
	case sim.badPIN >= pinTries:
		r = cmeError(cmeSIMPUKRequired)
	default:
		r = sim.verify(a.str(0))
	}
	x.m.mu.Unlock()
	if r.ok() {
		r.after = x.m.simUp
	}
	return r
}

func pinLike(s string) bool { return len(s) >= 4 && len(s) <= 8 && digits(s) }

// simUp tells that the SIM became readable, and lets the radio go on.
func (m *Modem) simUp() {
	m.spawn(func() {
		m.unsolicited("+CPIN: READY")
		for _, step := range m.personality.Boot {
			if step.When == "unlocked" {
				m.unsolicited(m.fill(step.Text))
			}
		}
		m.poke()
	})
}

func subscriberIdentity(x *exchange) result {
	x.info(x.m.fill("{imsi}"))
	return resultOK
}

func subscriberNumber(x *exchange) result {
	number := x.m.fill("{msisdn}")
	if number == "" {
		return resultOK
	}
	x.info(fmt.Sprintf(`+CNUM: ,"+%s",145`, strings.TrimPrefix(number, "+"))) // 145 is international (TS 24.008 section 10.5.4.7)
	return resultOK
}

// facilityLock asks for and changes the PIN lock; the other facilities are always open.
func facilityLock(x *exchange, a args) result {
	mode, ok := a.number(1, -1, 0, 2)
	if !ok {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sim := &x.m.sim
	switch {
	case mode == 2:
		on := 0
		if a.str(0) == "SC" && sim.card.PIN != "" {
			on = 1
		}
		x.info(fmt.Sprintf("+CLCK: %d", on))
		return resultOK
	case a.str(0) != "SC":
		return cmeError(cmeNotSupported)
	case mode == 0 && sim.card.PIN == "":
		return resultOK
	case mode == 1 && sim.card.PIN == "": // the card keeps its PIN while the lock is off; here the first one given becomes it
		if !pinLike(a.str(2)) {
			return cmeError(cmeIncorrectParams)
		}
		sim.card.PIN = a.str(2)
		return resultOK
	}
	r := sim.verify(a.str(2))
	if r.ok() && mode == 0 {
		sim.card.PIN = ""
	}
	return r
}

func changePassword(x *exchange, a args) result {
	if a.str(0) != "SC" || len(a) != 3 || !pinLike(a.str(2)) {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sim := &x.m.sim
	if sim.card.PIN == "" {
		return cmeError(cmeNotAllowed)
	}
	r := sim.verify(a.str(1))
	if r.ok() {
		sim.card.PIN = a.str(2)
	}
	return r
}

// Elementary files (TS 31.102 section 4.2, ETSI TS 102 221 section 13.2).
const (
	efICCID = 12258 // 2FE2
	efIMSI  = 28423 // 6F07
	efAD    = 28589 // 6FAD
)

// openFiles can be read before the PIN: who the card is and what it needs, not who the subscriber is.
var openFiles = []int{efICCID, efAD}

// restrictedSIM reads the few files that programs look at; others are not found (status 6A82). A locked card refuses with its own
// words (6982), not with a +CME ERROR.
func restrictedSIM(x *exchange, a args) result {
	command, ok1 := a.number(0, -1, 0, 255)
	file, ok2 := a.number(1, -1, 0, 0xffff)
	if !ok1 || !ok2 {
		return cmeError(cmeIncorrectParams)
	}
	var content string
	switch file {
	case efICCID:
		content = swapped(x.m.fill("{iccid}"), 20)
	case efIMSI:
		imsi := x.m.fill("{imsi}")
		content = fmt.Sprintf("%02X", (len(imsi)+2)/2) + swapped("9"+imsi, 2*((len(imsi)+2)/2))
	case efAD:
		content = "00000002" // normal operation, two digits of MNC
	}
	x.m.mu.Lock()
	ready := x.m.sim.ready()
	x.m.mu.Unlock()
	switch {
	case content == "":
		x.info(`+CRSM: 106,130,""`)
	case !ready && !slices.Contains(openFiles, file):
		x.info(`+CRSM: 105,130,""`)
	case command == 176: // READ BINARY
		x.info(fmt.Sprintf(`+CRSM: 144,0,"%s"`, content))
	default:
		x.info(`+CRSM: 109,0,""`) // instruction not supported
	}
	return resultOK
}

// swapped is BCD with the low digit first, filled with F.
func swapped(s string, n int) string {
	s += strings.Repeat("F", max(0, n-len(s)))
	b := []byte(s)
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}
