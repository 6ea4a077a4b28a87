package dce

import (
	"context"
	"strconv"
	"strings"
)

// boot brings the modem from power-on to command state, telling each step on the ports for unsolicited results.
func (m *Modem) boot(ctx context.Context) {
	m.log.Info("modem boots")
	m.tellEvent(Event{Type: "boot", State: "begins"})
	m.announce(ctx, func(s BootStep) bool { return s.When == "" || m.simReady() })
	m.mu.Lock()
	up := !m.restart
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

// announce sends the boot steps that pass. The modem answers commands from the first one on.
func (m *Modem) announce(ctx context.Context, pass func(BootStep) bool) {
	for _, step := range m.personality.Boot {
		if !pass(step) {
			continue
		}
		if !m.sleep(ctx, step.After) {
			return
		}
		m.mu.Lock()
		restart := m.restart
		if !restart {
			m.heardLocked()
		}
		m.mu.Unlock()
		if restart {
			return
		}
		m.unsolicited(m.fill(step.Text))
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
		p.askEnds()
	}
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
func (m *Modem) tell(text string, keep bool) {
	m.mu.Lock()
	ports := m.portsLocked()
	to := m.urcTo
	m.mu.Unlock()
	for _, p := range ports {
		if m.takesURC(p.name, to) {
			p.unsolicited(text, keep)
		}
	}
}

func (m *Modem) takesURC(port, to string) bool {
	switch to {
	case "all":
		return true
	case "":
		for _, name := range m.personality.Ports.URC.Value {
			if name == port {
				return true
			}
		}
		return false
	}
	return port == to
}

// fill puts values into a text of the personality.
func (m *Modem) fill(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	card := &m.sim.card
	return strings.NewReplacer(
		"{manufacturer}", m.personality.Identity.Manufacturer.Value,
		"{model}", m.personality.Identity.Model.Value,
		"{revision}", m.personality.Identity.Revision.Value,
		"{imei}", m.imei,
		"{imsi}", card.IMSI,
		"{iccid}", card.ICCID,
		"{msisdn}", card.MSISDN,
		"{cfun}", strconv.Itoa(m.functions),
		"{cpin}", m.sim.status(),
	).Replace(text)
}
