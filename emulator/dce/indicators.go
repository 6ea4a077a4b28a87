package dce

import (
	"fmt"
	"strconv"
	"strings"
)

// indicators are those of +CIND that there are (TS 27.007 section 8.9), with their ranges. The values are taken with Modem.mu held.
var indicators = map[string]struct {
	values string
	value  func(m *Modem) int
}{
	"battchg":       {"0-5", func(*Modem) int { return 5 }},
	"signal":        {"0-5", func(m *Modem) int { return m.barsLocked() }},
	"service":       {"0,1", func(m *Modem) int { return one(m.reg.stat.registered()) }},
	"sounder":       {"0,1", func(m *Modem) int { return one(m.voice.state == voiceRinging) }},
	"message":       {"0,1", func(*Modem) int { return 0 }},
	"call":          {"0,1", func(m *Modem) int { return one(m.voice.state == voiceActive) }},
	"vox":           {"0,1", func(*Modem) int { return 0 }},
	"roam":          {"0,1", func(m *Modem) int { return one(m.reg.stat == RegisteredRoaming) }},
	"smsfull":       {"0,1", func(m *Modem) int { return one(m.messages.isFull()) }},
	"gprs":          {"0-2", func(m *Modem) int { return one(m.reg.stat.registered()) + one(m.sessionLocked()) }},
	"GPRS coverage": {"0,1", func(m *Modem) int { return one(m.reg.stat.registered()) }},
	"callsetup":     {"0-3", func(m *Modem) int { return one(m.voice.state == voiceRinging) }},
	"simind":        {"0-2", func(m *Modem) int { return one(m.sim.ready()) }},
}

func one(on bool) int {
	if on {
		return 1
	}
	return 0
}

// barsLocked is the signal in six steps.
func (m *Modem) barsLocked() int {
	if !m.receivesLocked() {
		return 0
	}
	return (m.signal.csq() + 5) / 7
}

func indicatorCommands() []command {
	return []command{
		{name: "+CIND", read: readIndicators, test: testIndicators, set: setIndicators},
		{name: "+CMER", read: readEvents, test: says("+CMER: (0-3),(0),(0),(0-2),(0,1)"), set: setEvents},
		{name: "+CPAS", exec: activityStatus, test: says("+CPAS: (0,3,4)")},
	}
}

func (m *Modem) indicatorsLocked() []int {
	var list []int
	for _, name := range m.personality.Indicators.Value {
		list = append(list, indicators[name].value(m))
	}
	return list
}

func readIndicators(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	var list []string
	for _, v := range x.m.indicatorsLocked() {
		list = append(list, strconv.Itoa(v))
	}
	x.info("+CIND: " + strings.Join(list, ","))
	return resultOK
}

// setIndicators refuses: all indicators are the modem's own. TS 27.007 section 8.9 has +CME ERROR for it.
func setIndicators(*exchange, args) result { return cmeError(cmeNotAllowed) }

func testIndicators(x *exchange) result {
	var list []string
	for _, name := range x.m.personality.Indicators.Value {
		list = append(list, fmt.Sprintf(`("%s",(%s))`, name, indicators[name].values))
	}
	x.info("+CIND: " + strings.Join(list, ","))
	return resultOK
}

func readEvents(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	e := x.m.cmer
	x.info(fmt.Sprintf("+CMER: %d,%d,%d,%d,%d", e[0], e[1], e[2], e[3], e[4]))
	return resultOK
}

// setEvents is +CMER=[<mode>[,<keyp>[,<disp>[,<ind>[,<bfr>]]]]]. There is neither a keypad nor a display to tell of.
func setEvents(x *exchange, a args) result {
	var next [5]int
	for i, hi := range []int{3, 0, 0, 2, 1} {
		n, ok := a.number(i, 0, 0, hi)
		if !ok {
			return cmeError(cmeIncorrectParams)
		}
		next[i] = n
	}
	if len(a) > len(next) {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.m.cmer = next
	x.m.indicated = x.m.indicatorsLocked()
	return resultOK
}

// tellIndicators reports what has changed since it was called last.
func (m *Modem) tellIndicators() {
	m.mu.Lock()
	values, was := m.indicatorsLocked(), m.indicated
	m.indicated = values
	on := m.cmer[0] > 0 && m.cmer[3] > 0 && !m.booting
	m.mu.Unlock()
	for i, v := range values {
		if on && i < len(was) && was[i] != v {
			m.unsolicited(fmt.Sprintf("+CIEV: %d,%d", i+1, v))
		}
	}
}

// activityStatus is 0 ready, 3 ringing, 4 call in progress.
func activityStatus(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	status := 0
	switch {
	case x.m.voice.state == voiceRinging:
		status = 3
	case x.m.voice.state == voiceActive || x.m.onlineLocked():
		status = 4
	}
	x.info(fmt.Sprintf("+CPAS: %d", status))
	return resultOK
}
