package dce

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"minato/emulator/core"
)

// RegistrationStatus is <stat> of +CREG, +CGREG and +CEREG (TS 27.007 section 7.2).
type RegistrationStatus int

// The states that a modem here can be in.
const (
	NotRegistered      RegistrationStatus = 0
	RegisteredHome     RegistrationStatus = 1
	Searching          RegistrationStatus = 2
	RegistrationDenied RegistrationStatus = 3
	RegisteredRoaming  RegistrationStatus = 5
)

// registered tells that there is service.
func (s RegistrationStatus) registered() bool { return s == RegisteredHome || s == RegisteredRoaming }

// registration is the modem's standing with the network.
type registration struct {
	stat    RegistrationStatus
	since   time.Time            // of Searching
	detach  bool                 // +CGATT=0: stay out of the packet domain
	lost    bool                 // there is no cell: see SetCoverage
	kept    bool                 // and it was registered when there was
	denied  bool                 // the network refuses, whoever asks: see DenyRegistration
	refused bool                 // it refused this SIM: no attempt until the radio is switched (TS 24.301 section 5.5.1.2.5)
	cause   int                  // EMM cause of the last refusal (TS 24.301 section 9.9.3.9); 0: none
	apn     string               // the SIM's own, as the network named it at the last attach
	report  [len(regDomains)]int // <n> by domain
}

// regDomains are the commands that report registration. On LTE they all tell the same.
var regDomains = [...]string{"+CREG", "+CGREG", "+CEREG"}

// register takes the next step towards the state that radio, SIM and operator selection allow. It gives how long to wait for the
// step after it, if that is a matter of time.
func (m *Modem) register() (time.Duration, bool) {
	m.mu.Lock()
	camp := !m.booting && !m.stopped && m.functions == 1 && m.sim.ready() && m.cops.mode != 2
	manual := m.otherNetworkLocked()
	reg, imsi, waking := m.reg, m.sim.card.IMSI, m.waking
	m.mu.Unlock()
	switch {
	case waking: // simUp comes, and pokes
		return 0, false
	case !camp || reg.detach:
		if reg.stat != NotRegistered {
			m.detach("no service wanted", true)
		}
		m.mu.Lock()
		m.reg.refused = false
		m.mu.Unlock()
		return 0, false
	case reg.lost:
		if reg.stat == NotRegistered || reg.stat == RegistrationDenied {
			m.setRegistration(Searching)
		}
		return 0, false
	case reg.refused:
		return 0, false
	case manual: // another operator's network: it is not there
		m.setRegistration(Searching)
		return 0, false
	case reg.denied:
		m.detachTo(RegistrationDenied, "registration denied", "NW DETACH")
		return 0, false
	case reg.stat == NotRegistered || reg.stat == RegistrationDenied:
		m.search()
		return m.scaled(m.personality.Delays.Search.Value), true
	case reg.stat == Searching:
		if left := m.scaled(m.personality.Delays.Search.Value) - time.Since(reg.since); left > 0 {
			return left, true
		}
		m.attach(imsi)
	}
	return 0, false
}

// turnLocked wakes who waits for the end of an attach.
func (m *Modem) turnLocked() {
	close(m.turned)
	m.turned = make(chan struct{})
}

// search begins an attempt, unless one is under way, or over since whoever wants it has looked.
func (m *Modem) search() {
	m.setRegistrationIf(Searching, func() bool {
		idle := m.reg.stat == NotRegistered || m.reg.stat == RegistrationDenied && !m.reg.refused
		if idle {
			m.reg.since = time.Now()
		}
		return idle
	})
}

// otherNetworkLocked tells that an operator was selected by hand whose network is not there.
func (m *Modem) otherNetworkLocked() bool { return m.cops.mode == 1 && m.cops.plmn != m.cell.PLMN }

// attach asks the network.
func (m *Modem) attach(imsi string) {
	m.radio.Lock()
	defer m.radio.Unlock()
	apn, err := m.network.Attach(imsi, m.imei)
	if err == nil {
		m.mu.Lock()
		m.reg.apn = apn
		m.mu.Unlock()
		m.openBearer(imsi)
		m.setRegistration(m.registeredStat(imsi))
		return
	}
	m.log.Info("the network refuses to attach", "imsi", imsi, "error", err)
	m.setCause(err)
	m.mu.Lock()
	m.reg.refused = true
	m.reg.cause = emmCause(err)
	m.mu.Unlock()
	m.setRegistration(RegistrationDenied)
}

// detach leaves the network; said tells whether that is reported.
func (m *Modem) detach(reason string, said bool) {
	event := ""
	if said {
		event = "ME DETACH"
	}
	m.detachTo(NotRegistered, reason, event)
}

// detachTo leaves the network, or is put out; event is what +CGEV tells of it, if anything.
func (m *Modem) detachTo(stat RegistrationStatus, reason, event string) {
	m.radio.Lock()
	defer m.radio.Unlock()
	m.mu.Lock()
	was := m.reg.stat.registered() || m.reg.kept
	imsi := m.sim.card.IMSI
	m.mu.Unlock()
	if was {
		if event != "" {
			m.event(event)
		}
		m.endSessions(reason)
		m.network.Detach(imsi)
	}
	m.setRegistration(stat)
}

// setRegistration changes the status and reports it where that was asked for.
func (m *Modem) setRegistration(stat RegistrationStatus) {
	m.setRegistrationIf(stat, func() bool { return true })
}

// setRegistrationIf is setRegistration where allowed says so, which is called with mu held.
func (m *Modem) setRegistrationIf(stat RegistrationStatus, allowed func() bool) {
	m.mu.Lock()
	if m.reg.stat == stat || !allowed() {
		m.mu.Unlock()
		return
	}
	m.reg.stat = stat
	m.turnLocked()
	if stat != Searching {
		m.reg.kept = false
	}
	report := m.reg.report
	if m.booting {
		report = [len(regDomains)]int{}
	}
	var lines []string
	for i, n := range report {
		if n > 0 {
			lines = append(lines, m.registrationLocked("registration-urc", i, n))
		}
	}
	m.mu.Unlock()
	m.log.Info("registration changed", "stat", int(stat))
	m.tellEvent(Event{Type: "registration", State: strconv.Itoa(int(stat))})
	for _, l := range lines {
		m.unsolicited(l)
	}
	m.tellIndicators()
	if stat.registered() {
		m.networkTime()
	}
	m.poke()
}

// registeredStat is home or roaming: the card's own network is the one that its IMSI begins with.
func (m *Modem) registeredStat(imsi string) RegistrationStatus {
	if strings.HasPrefix(imsi, m.cell.PLMN) {
		return RegisteredHome
	}
	return RegisteredRoaming
}

// domainLocked is the status in a domain. A subscription without circuit-switched services is refused there.
func (m *Modem) domainLocked(i int) RegistrationStatus {
	if m.sim.card.DataOnly && regDomains[i] == "+CREG" && m.reg.stat.registered() {
		return RegistrationDenied
	}
	return m.reg.stat
}

// registrationLocked writes +CREG and its relatives (TS 27.007 sections 7.2, 10.1.20, 10.1.22): n of 2 and more adds area, cell and
// access technology while registered; 3 and 5 add the cause of a refusal, 4 and 5 the timers of power saving.
func (m *Modem) registrationLocked(format string, domain, n int) string {
	stat := m.domainLocked(domain)
	place, cause := "", ""
	if n >= 2 && stat.registered() {
		place = m.formatLocked("registration-place", nil, nil)
	}
	if n >= 4 && stat.registered() && regDomains[domain] == "+CEREG" {
		place += m.powerSavingLocked()
	}
	if (n == 3 || n == 5) && stat == RegistrationDenied && m.reg.cause != 0 {
		cause = m.formatLocked("registration-cause", nil, map[string]any{"cause_type": 0, "reject": m.reg.cause})
	}
	return m.formatLocked(format, nil, map[string]any{
		"command": regDomains[domain], "n": n, "stat": int(stat), "place": place, "cause": cause,
	})
}

// emmCause is the number of a refusal.
func emmCause(err error) int {
	var no *core.Reject
	if errors.As(err, &no) {
		return int(no.Cause)
	}
	return 0
}

// DenyRegistration makes the network refuse the modem, or stop refusing.
func (m *Modem) DenyRegistration(deny bool) {
	m.mu.Lock()
	m.reg.denied, m.reg.refused = deny, false
	if deny {
		m.reg.cause, m.lastCause = 11, "PLMN not allowed, cause 11"
	}
	m.mu.Unlock()
	m.poke()
}

// NetworkDetach is a detach that the network asks for, with re-attach required or not (TS 24.301 section 5.5.2.3).
func (m *Modem) NetworkDetach(reattach bool) {
	m.radio.Lock()
	defer m.radio.Unlock() // what Run makes of it comes behind, and finds the modem detached
	m.mu.Lock()
	imsi := m.sim.card.IMSI
	m.reg.detach = !reattach
	m.mu.Unlock()
	m.event("NW DETACH")
	m.endSessions("the network detached the modem")
	m.network.Detach(imsi)
	m.setRegistration(NotRegistered)
	m.poke()
}

// Reattach lets a modem back that the network detached for good.
func (m *Modem) Reattach() {
	m.mu.Lock()
	m.reg.detach = false
	m.mu.Unlock()
	m.poke()
}

// setCause keeps what +CEER will tell.
func (m *Modem) setCause(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastCause = causeText(err)
}

func causeText(err error) string {
	var no *core.Reject
	if errors.As(err, &no) {
		return fmt.Sprintf("%s, cause %d", no.Reason, no.Cause)
	}
	return err.Error()
}
