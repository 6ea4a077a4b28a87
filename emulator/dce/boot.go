package dce

import (
	"context"
	"slices"
)

// boot brings the modem from power-on to command state, telling each step on the ports for unsolicited results.
func (m *Modem) boot(ctx context.Context) {
	m.log.Info("modem boots")
	m.tellEvent(Event{Type: "boot", State: "begins"})
	m.announce(ctx)
	m.mu.Lock()
	m.sim.unread = false
	up := !m.restart && !m.leaving
	if up {
		m.heardLocked()
	}
	m.mu.Unlock()
	if up {
		m.tellEvent(Event{Type: "boot", State: "ready"})
	}
}

// heardLocked ends the deafness of the boot.
func (m *Modem) heardLocked() {
	m.booting = false
	select {
	case <-m.ready:
	default:
		close(m.ready)
	}
}

// announce sends the boot steps that pass. The modem answers commands from the first one on; those for the card it refuses as busy until
// the step that tells of it, as an EC21 does (github.com/SeeedJP/WioLTEforArduino, issue 5, where +CME ERROR: 10 comes before the 14).
func (m *Modem) announce(ctx context.Context) {
	for i := range m.personality.Boot {
		step := &m.personality.Boot[i]
		m.mu.Lock()
		m.looked = i + 1
		passes := step.when.holds(m)
		m.mu.Unlock()
		if !passes {
			continue
		}
		if !m.sleep(ctx, step.After) {
			return
		}
		m.mu.Lock()
		over := m.restart || m.leaving
		if !over {
			m.sim.unread = m.delay > 0 && i < m.personality.cardStep()
			m.heardLocked()
		}
		m.mu.Unlock()
		if over {
			return
		}
		m.sayStep(step)
	}
}

// passes tells that a boot step's condition holds.
func (m *Modem) passes(step *BootStep) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return step.when.holds(m)
}

func (m *Modem) sayStep(step *BootStep) {
	if step.Text == "" {
		return
	}
	text := m.fillTemplate(step.text)
	if step.Ports != "all" {
		m.unsolicited(text)
		return
	}
	m.mu.Lock()
	ports := m.portsLocked()
	m.mu.Unlock()
	for _, p := range ports {
		p.unsolicited(extended(text), true)
	}
}

// takeRestart tells once that a boot is due, and prepares it.
func (m *Modem) takeRestart() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.restart {
		return false
	}
	m.restart, m.booting = false, true
	return true
}

// Reset switches the modem off and on, as +CFUN=1,1 does: calls end with nothing said, the network sees a detach, volatile
// settings are lost, and the boot begins again.
func (m *Modem) Reset() {
	m.mu.Lock()
	m.booting = true
	ports := m.portsLocked()
	m.mu.Unlock()
	for _, p := range ports {
		p.hangUp(hangUpDTR)
		p.askFails()
	}
	for _, p := range ports {
		p.leaveMux()
	}
	m.endVoice(false)
	m.detach("reset", false)
	power := m.power()
	for _, p := range ports {
		p.change(func(s *settings) { *s = power.clone() })
	}
	m.mu.Lock()
	m.resetLocked()
	m.restart = true
	m.mu.Unlock()
	m.poke()
}

// leaveMux ends multiplexer mode with nothing said but the last results. It does not wait for that end: a channel of it may have asked for the
// reset.
func (p *port) leaveMux() {
	p.mu.Lock()
	mode := p.mux
	p.mu.Unlock()
	if mode == nil {
		return
	}
	for _, c := range mode.all() {
		c.settle()
	}
	mode.cancel()
}

// powerOff leaves the network, says so, and comes up again: the board around the module keeps its power key pressed.
func (m *Modem) powerOff(ctx context.Context, last []string) {
	m.mu.Lock()
	m.leaving, m.booting = true, true // from now on it neither hears nor looks for a network, nor goes on with its boot
	m.mu.Unlock()
	m.detach("switched off", false)
	m.sleep(ctx, m.personality.Delays.PowerOff.Value)
	for _, text := range last {
		m.unsolicited(text)
	}
	m.Reset()
}

// deaf tells that the modem is not up far enough to hear commands.
func (m *Modem) deaf() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.booting
}

func (m *Modem) portsLocked() []*port {
	list := make([]*port, 0, len(m.ports))
	for p := range m.ports {
		list = append(list, p)
	}
	return list
}

// unsolicited sends a result to the ports that are for it.
func (m *Modem) unsolicited(text string) { m.tell(text, true) }

// tell is unsolicited; without keep, a port in data mode loses the result.
func (m *Modem) tell(text string, keep bool) { m.tellResult(extended(text), keep) }

func (m *Modem) tellResult(r result, keep bool) {
	m.mu.Lock()
	ports := m.portsLocked()
	to, dlci := m.urcTo, m.urcDLCI
	m.mu.Unlock()
	for _, p := range m.urcPorts(ports, to, dlci) {
		p.unsolicited(r, keep)
	}
}

// takesURC tells that unsolicited results go to a port, or to the channels on it.
func (m *Modem) takesURC(p *port, to string) bool {
	switch to {
	case "all":
		return true
	case "":
		return slices.Contains(m.personality.Ports.URC.Value, p.base)
	}
	return p.base == to
}
