package dce

import (
	"fmt"
	"time"
)

// voiceState is where a voice call stands. Only others call: the SIM is for data, so that D without *99 finds no carrier.
type voiceState int

const (
	voiceNone voiceState = iota
	voiceRinging
	voiceActive
)

// voiceCall is the one there can be. It is what moves RI.
type voiceCall struct {
	state  voiceState
	number string
	rings  int
	ended  chan struct{} // closed with the call
}

// ringInterval is that of the GSM networks of old: a second of tone, four of silence.
const ringInterval = 5 * time.Second

func voiceCommands() []command {
	return []command{
		{name: "A", basic: level(0, nil, answerCommand)},
		{name: "+CHUP", exec: hangUpVoice, test: says()},
		{name: "+CLCC", exec: listCalls, test: says()},
		{name: "+CUSD", read: readUSSD, test: says("+CUSD: (0-2)"), exec: func(x *exchange) result { return setUSSD(x, nil) }, set: setUSSD},
	}
}

// Ring makes somebody call, from a number or a hidden one. It is an error while there is a call, and without service.
func (m *Modem) Ring(number string) error {
	m.mu.Lock()
	if m.voice.state != voiceNone || !m.reg.stat.registered() {
		m.mu.Unlock()
		return fmt.Errorf("calling the modem: it is in a call, or has no service")
	}
	ended := make(chan struct{})
	m.voice = voiceCall{state: voiceRinging, number: number, ended: ended}
	m.mu.Unlock()
	m.tellIndicators()
	m.showLines()
	if !m.spawn(func() { m.ringing(ended) }) {
		m.endVoice(false)
	}
	return nil
}

// StopRinging is the caller's hanging up; it is false when nobody calls.
func (m *Modem) StopRinging() bool { return m.endVoice(true) }

// ringing tells of the call until it is answered or over.
func (m *Modem) ringing(ended <-chan struct{}) {
	tick := time.NewTicker(ringInterval)
	defer tick.Stop()
	for {
		m.mu.Lock()
		if m.voice.state != voiceRinging || m.stopped {
			m.mu.Unlock()
			return
		}
		m.voice.rings++
		rings, number := m.voice.rings, m.voice.number
		ring, clip := resultRing, ""
		if m.reports["+CRC"] {
			ring = extended("+CRING: VOICE")
		}
		if m.reports["+CLIP"] {
			clip = fmt.Sprintf(`+CLIP: "%s",%d,,,,%d`, number, numberType(number), one(number == "")*2)
		}
		ports := m.portsLocked()
		m.mu.Unlock()
		m.tellResult(ring, true)
		if clip != "" {
			m.unsolicited(clip)
		}
		for _, p := range ports {
			p.change(func(s *settings) { s.s[1] = byte(min(rings, 255)) })
			if s := p.settings(); s.reg(0) > 0 && rings >= int(s.reg(0)) && p.dtrOn() {
				m.answerVoice()
				return
			}
		}
		select {
		case <-ended:
			return
		case <-tick.C:
		}
	}
}

// numberType is 145 for an international number and 129 for others (TS 24.008 section 10.5.4.7).
func numberType(number string) int {
	if len(number) > 0 && number[0] == '+' {
		return 145
	}
	return 129
}

func (m *Modem) answerVoice() bool {
	m.mu.Lock()
	ringing := m.voice.state == voiceRinging
	if ringing {
		m.voice.state = voiceActive
	}
	m.mu.Unlock()
	if ringing {
		m.tellIndicators()
		m.showLines()
	}
	return ringing
}

// endVoice ends the call; said tells that the other end did.
func (m *Modem) endVoice(said bool) bool {
	m.mu.Lock()
	was := m.voice
	m.voice = voiceCall{}
	ports := m.portsLocked()
	m.mu.Unlock()
	if was.state == voiceNone {
		return false
	}
	close(was.ended)
	for _, p := range ports {
		p.change(func(s *settings) { s.s[1] = 0 })
	}
	if said {
		m.tellResult(resultNoCarrier, true)
	}
	m.tellIndicators()
	m.showLines()
	return true
}

func answerCommand(x *exchange) result {
	if !x.m.answerVoice() {
		return resultNoCarrier // nobody calls
	}
	return resultOK
}

func hangUpVoice(x *exchange) result {
	x.m.endVoice(false)
	return resultOK
}

// listCalls is +CLCC: an incoming voice call, incoming (4) or active (0). Some modems list before it the packet service of LTE, while it
// is there: as an active call in data mode (1), from the other end and of no number.
func listCalls(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	id := 1
	if x.m.personality.Quirks.PacketCall.Value && x.m.anyActiveLocked() {
		x.info(fmt.Sprintf(`+CLCC: %d,1,0,1,0,"",128`, id))
		id++
	}
	switch v := x.m.voice; v.state {
	case voiceRinging:
		x.info(fmt.Sprintf(`+CLCC: %d,1,4,0,0,"%s",%d`, id, v.number, numberType(v.number)))
	case voiceActive:
		x.info(fmt.Sprintf(`+CLCC: %d,1,0,0,0,"%s",%d`, id, v.number, numberType(v.number)))
	}
	return resultOK
}

func readUSSD(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info(fmt.Sprintf("+CUSD: %d", x.m.ussd))
	return resultOK
}

// setUSSD is +CUSD=[<n>[,<str>[,<dcs>]]]. The network has no such services, which the answer says (<m> 4).
func setUSSD(x *exchange, a args) result {
	n, ok1 := a.number(0, 0, 0, 2)
	_, ok2 := a.number(2, 15, 0, 255)
	if !ok1 || !ok2 || len(a) > 3 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	if n < 2 {
		x.m.ussd = n
	}
	if !a.at(1).given {
		return resultOK
	}
	switch {
	case x.m.sim.second.fixed: // these strings are dialled, too
		return cmeError(cmeNotAllowed)
	case !x.m.reg.stat.registered():
		return cmeError(cmeNoNetwork)
	}
	r := resultOK
	if n == 1 {
		m := x.m
		r.after = func() { m.unsolicited("+CUSD: 4") }
	}
	return r
}
