package dce

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// clock is the modem's own. It starts right, as if the network's time were known already; after +CCLK= has changed it, the network's
// time sets it right again if +CTZU says so.
type clock struct {
	base time.Time // local time
	at   time.Time // when it was that
	zone int       // quarters of an hour
}

func clockCommands() []command {
	return []command{{name: "+CCLK", read: readClock, test: says(), set: setClock}}
}

// clockFormat is <time> of +CCLK without the zone (TS 27.007 section 8.15).
const clockFormat = "06/01/02,15:04:05"

func (m *Modem) localTimeLocked() time.Time { return m.clock.base.Add(m.now().Sub(m.clock.at)) }

// timeLocked is what the clock shows, as a time with its zone.
func (m *Modem) timeLocked() time.Time {
	seconds := m.clock.zone * 15 * 60
	return m.localTimeLocked().Add(-time.Duration(seconds) * time.Second).In(time.FixedZone("", seconds))
}

func readClock(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	text := fmt.Sprintf("%s%+03d", x.m.localTimeLocked().Format(clockFormat), x.m.clock.zone)
	x.info(x.m.formatLocked("+CCLK", nil, map[string]any{"time": text}))
	return resultOK
}

var clockSyntax = regexp.MustCompile(`^(.{17})([+-][0-9]{2})$`)

func setClock(x *exchange, a args) result {
	parts := clockSyntax.FindStringSubmatch(a.str(0))
	if parts == nil || !a.at(0).quoted || len(a) > 1 {
		return cmeError(cmeIncorrectParams)
	}
	t, err := time.Parse(clockFormat, parts[1])
	zone, _ := strconv.Atoi(parts[2]) // the pattern is that of a number
	if err != nil || zone < minZone || zone > maxZone {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.m.clock = clock{base: t, at: x.m.now(), zone: zone}
	return resultOK
}

// networkClock is set by the network's time.
func (m *Modem) networkClock() clock {
	now := m.now()
	return clock{base: now.UTC().Add(time.Duration(m.cell.Zone) * 15 * time.Minute), at: now, zone: m.cell.Zone}
}

// networkTime is what a network tells after an attach (TS 22.042): +CTZU sets the clock by it, +CTZR reports it.
func (m *Modem) networkTime() {
	m.mu.Lock()
	c := m.networkClock()
	utc, local := c.at.UTC(), c.base
	if v := m.values["+CTZU"]; v != "" && v != "0" {
		m.clock = c
	}
	locals := map[string]any{"tz": fmt.Sprintf("%+03d", c.zone), "time": local.Format("2006/01/02,15:04:05"), "utc": utc.Format("2006/01/02,15:04:05")}
	text := ""
	switch m.values["+CTZR"] {
	case "1":
		text = m.formatLocked("+CTZV", nil, locals)
	case "2":
		text = m.formatLocked("+CTZE", nil, locals)
	}
	m.mu.Unlock()
	if text != "" {
		m.unsolicited(text)
	}
}
