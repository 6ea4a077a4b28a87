package dce

import (
	"fmt"
	"slices"
	"strings"
)

// simCommands are about the card (TS 27.007 sections 5.6, 7.1, 7.4, 7.5, 8.3, 8.17, 8.18).
func simCommands() []command {
	return []command{
		{name: "+CPIN", needs: needIdle, read: readPIN, test: says(), set: enterPIN},
		{name: "+CIMI", needs: needSIM, exec: subscriberIdentity, test: says()},
		{name: "+CNUM", needs: needSIM, exec: subscriberNumber, test: says()},
		{name: "+CLCK", needs: needSIM, test: testFacilities, set: facilityLock},
		{name: "+CPWD", needs: needSIM, test: says(`+CPWD: ("SC",8),("P2",8)`), set: changePassword},
		{name: "+CRSM", needs: needCard, test: says(), set: restrictedSIM},
		{name: "+CSIM", needs: needCard, test: says(), set: genericSIM},
		{name: "+CPINR", needs: needIdle, exec: func(x *exchange) result { return pinsLeft(x, nil) }, test: says(), set: pinsLeft},
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
	x.info(x.m.formatLocked("+CPIN", nil, nil))
	return resultOK
}

// enterPIN takes a PIN, or a PUK and a new PIN, or PUK2 and a new PIN2. A good one lets the SIM come up, which is told as at boot.
func enterPIN(x *exchange, a args) result {
	if len(a) < 1 || len(a) > 2 || !pinLike(a.str(0)) || len(a) == 2 && !pinLike(a.str(1)) {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	sim := &x.m.sim
	var r result
	up := !sim.ready()
	switch {
	case !sim.inserted:
		r = cmeError(cmeSIMNotInserted)
	case sim.ready() && sim.second.badPIN >= pinTries && len(a) == 2:
		r = sim.unblock2(a.str(0), a.str(1))
	case sim.ready():
		r = cmeError(cmeNotAllowed)
	case sim.badPUK >= pukTries:
		r = cmeError(cmeSIMFailure)
	case sim.badPIN >= pinTries && len(a) == 2:
		r = sim.unblock(a.str(0), a.str(1))
	case len(a) == 2: // nothing here takes a PUK
		r = cmeError(cmeIncorrectParams)
	case sim.badPIN >= pinTries:
		r = cmeError(cmeSIMPUKRequired)
	default:
		r = sim.verify(a.str(0))
	}
	looked := x.m.looked
	x.m.mu.Unlock()
	if r.ok() && up {
		r.after = func() { x.m.simUp(looked) }
	}
	return r
}

// simUp tells that the SIM became readable, and lets the radio go on. looked is Modem.looked of that moment: what the boot has yet to
// look at it says itself.
func (m *Modem) simUp(looked int) {
	m.spawn(func() {
		if looked > m.personality.cardStep() {
			m.unsolicited("+CPIN: READY")
		}
		for i := range looked {
			if step := &m.personality.Boot[i]; step.When == "unlocked" {
				m.sayStep(step)
			}
		}
		m.mu.Lock()
		m.waking = false
		m.mu.Unlock()
		m.poke()
	})
}

// cardStep is the boot step that tells what the card asks for; -1: none does.
func (p *Personality) cardStep() int {
	return slices.IndexFunc(p.Boot, func(s BootStep) bool { return strings.Contains(s.Text, "{cpin}") })
}

// saySIM tells what a card that is switched on asks for, where the boot does.
func (m *Modem) saySIM() {
	if i := m.personality.cardStep(); i >= 0 && m.passes(&m.personality.Boot[i]) {
		m.sayStep(&m.personality.Boot[i])
	}
}

func subscriberIdentity(x *exchange) result {
	x.info(x.m.fill("{imsi}"))
	return resultOK
}

func subscriberNumber(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	file, _, _ := x.m.fileLocked(phonebookFiles["ON"])
	if e := parseEntry(file); e.number != "" {
		x.info(x.m.formatLocked("+CNUM", nil, map[string]any{"number": e.number, "number_type": e.kind}))
	}
	return resultOK
}

// pinsLeft is +CPINR[=<sel_code>] (section 8.65).
func pinsLeft(x *exchange, a args) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sim := &x.m.sim
	if !sim.inserted {
		return cmeError(cmeSIMNotInserted)
	}
	known := false
	for _, c := range []struct {
		name       string
		left, from int
	}{
		{"SIM PIN", pinTries - sim.badPIN, pinTries}, {"SIM PUK", pukTries - sim.badPUK, pukTries},
		{"SIM PIN2", pinTries - sim.second.badPIN, pinTries}, {"SIM PUK2", pukTries - sim.second.badPUK, pukTries},
	} {
		if len(a) == 0 || a.str(0) == c.name {
			known = true
			x.info(fmt.Sprintf("+CPINR: %s,%d,%d", c.name, max(0, c.left), c.from))
		}
	}
	if !known || len(a) > 1 {
		return cmeError(cmeIncorrectParams)
	}
	return resultOK
}

// facilities are those of +CLCK.
var facilities = []string{"SC", "FD", "PN", "PU", "PP", "PC", "PF"}

func testFacilities(x *exchange) result {
	x.info(`+CLCK: ("` + strings.Join(facilities, `","`) + `")`)
	return resultOK
}

// facilityLock is +CLCK=<fac>,<mode>[,<passwd>[,<class>]]: it asks for and changes the PIN lock and fixed dialling; the other facilities
// are always open. Without a password nothing is tried on the card.
func facilityLock(x *exchange, a args) result {
	mode, ok := a.number(1, -1, 0, 2)
	if !ok || len(a) > 4 || !slices.Contains(facilities, a.str(0)) {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sim := &x.m.sim
	switch {
	case mode == 2:
		on := 0
		if a.str(0) == "SC" && sim.enabled || a.str(0) == "FD" && sim.second.fixed {
			on = 1
		}
		x.info(fmt.Sprintf("+CLCK: %d", on))
		return resultOK
	case a.str(0) == "FD":
		return sim.fixedDialling(mode == 1, a.str(2))
	case a.str(0) != "SC":
		return cmeError(cmeNotSupported)
	case mode == 0 && !sim.enabled:
		return resultOK
	case !pinLike(a.str(2)):
		return cmeError(cmeIncorrectParams)
	}
	return sim.enablePIN(mode == 1, a.str(2))
}

// changePassword is +CPWD=<fac>,<oldpwd>,<newpwd> of the PIN and of PIN2.
func changePassword(x *exchange, a args) result {
	if a.str(0) != "SC" && a.str(0) != "P2" || len(a) != 3 || !pinLike(a.str(1)) || !pinLike(a.str(2)) {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	sim := &x.m.sim
	if a.str(0) == "SC" {
		return sim.changePIN(a.str(1), a.str(2))
	}
	r := sim.verify2(a.str(1))
	if r.ok() {
		sim.card.PIN2 = a.str(2)
	}
	return r
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
