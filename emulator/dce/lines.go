package dce

import (
	"errors"
	"fmt"
	"strings"
)

// PortStatus is a port at one moment, with its circuits: what a real port shows on its wires, and a pseudo-terminal cannot carry.
type PortStatus struct {
	Name  string `json:"name"`
	State string `json:"state"` // command, data, onlineCommand or cmux
	DTR   bool   `json:"dtr"`   // circuit 108: a user is there
	DCD   bool   `json:"dcd"`   // circuit 109: &C0 always, &C1 in a call
	RI    bool   `json:"ri"`    // circuit 125: somebody calls
	Rate  int    `json:"rate"`  // of the modem; 0: it takes the user's
}

// LineChange is what may be done to a port's circuits from outside; nil leaves one as it is.
type LineChange struct {
	DTR *bool `json:"dtr"` // as the user's end: what a fall does is &D's to say
	DCD *bool `json:"dcd"` // only false: the carrier is lost
	RI  *bool `json:"ri"`  // a call comes in, or its caller hangs up; on all ports

	Number string `json:"number"` // the caller's, with RI true: digits, a plus sign before them or not; "": withheld
}

// ErrNumber is returned by SetLines for a number that nobody calls from.
var ErrNumber = errors.New("must be up to 20 digits, a plus sign before them or not, and goes with ri: true")

// checkNumber: 20 digits are the ten octets of an address (TS 24.011 section 8.2.5.1).
func (c *LineChange) checkNumber() error {
	n := strings.TrimPrefix(c.Number, "+")
	if c.Number != "" && (c.RI == nil || !*c.RI || n == "" || len(n) > 20 || !digits(n)) {
		return fmt.Errorf("number %q: %w", c.Number, ErrNumber)
	}
	return nil
}

// ErrNoPort is returned by SetLines for a port that is not there.
var ErrNoPort = errors.New("there is no such port")

// SetLines changes the circuits of a port.
func (m *Modem) SetLines(name string, c LineChange) error {
	if err := c.checkNumber(); err != nil {
		return err
	}
	m.mu.Lock()
	var ports []*port
	for _, p := range m.portsLocked() {
		if p.name == name {
			ports = append(ports, p)
		}
	}
	m.mu.Unlock()
	if len(ports) == 0 {
		return fmt.Errorf("port %q: %w", name, ErrNoPort)
	}
	if c.DCD != nil {
		if *c.DCD {
			return fmt.Errorf("port %q: the modem alone can turn DCD on, by a call", name)
		}
		lost := false
		for _, p := range ports {
			lost = p.loseCarrier() || lost
		}
		if !lost {
			return fmt.Errorf("port %q: no call, so no carrier to lose", name)
		}
	}
	if c.DTR != nil {
		for _, p := range ports {
			p.setDTR(*c.DTR)
		}
	}
	switch {
	case c.RI == nil:
	case *c.RI:
		return m.Ring(c.Number)
	case !m.StopRinging():
		return errors.New("nobody calls")
	}
	return nil
}

func (p *port) dtrOn() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dtr
}

// seen notes that there is a user, unless DTR was taken off from outside.
func (p *port) seen() {
	p.mu.Lock()
	p.dtr = !p.dtrHeld
	p.mu.Unlock()
}

// setDTR is an edge of DTR that does not come by the line (V.250 section 6.2.9).
func (p *port) setDTR(on bool) {
	p.mu.Lock()
	fell := p.dtr && !on
	p.dtr, p.dtrHeld = on, !on
	p.mu.Unlock()
	if !fell {
		return
	}
	if c := p.dropDTR(); c != nil {
		<-c.done
	}
}

// dropDTR is a fall of DTR, in a call or not, while the user still reads. It gives the call that it ends, or nil.
func (p *port) dropDTR() *call {
	p.mu.Lock()
	p.dtr = false
	c, d := p.call, p.set.d
	if c != nil && !c.escaped && d == 1 {
		c.data.escapeLocked()
	}
	p.mu.Unlock()
	if c == nil || d != 2 {
		return nil
	}
	c.hangUp(hangUpHard)
	return c
}

// userGone notes that the last user has closed the port: DTR fell.
func (p *port) userGone() {
	p.mu.Lock()
	p.dtr = false
	p.mu.Unlock()
}

func (p *port) loseCarrier() bool {
	p.mu.Lock()
	c := p.call
	p.mu.Unlock()
	if c == nil {
		return false
	}
	c.hangUp(hangUpHard)
	<-c.done
	return true
}

func (p *port) status() PortStatus {
	ringing := p.m.ringsNow()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := PortStatus{Name: p.name, State: "command", DTR: p.dtr, DCD: p.set.c == 0 || p.call != nil, RI: ringing, Rate: p.set.rate}
	switch {
	case p.mux != nil:
		s.State = "cmux"
	case p.call != nil && p.call.escaped:
		s.State = "onlineCommand"
	case p.call != nil:
		s.State = "data"
	}
	return s
}

func (m *Modem) ringsNow() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.voice.state == voiceRinging
}

// showLines tells the circuits to lines that can carry them, which are those of a multiplexer.
func (m *Modem) showLines() {
	m.mu.Lock()
	ports := m.portsLocked()
	m.mu.Unlock()
	for _, p := range ports {
		p.showLine()
	}
}

func (p *port) showLine() {
	if l, ok := p.line.(interface{ SetCircuits(dcd, ri bool) }); ok {
		s := p.status()
		l.SetCircuits(s.DCD, s.RI)
	}
}
