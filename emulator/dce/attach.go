package dce

import "time"

func readAttach(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info("+CGATT: " + bit(x.m.reg.stat.registered()))
	return resultOK
}

// setAttach is +CGATT=<state>. OK says that the state is reached (TS 27.007 section 10.1.9).
func setAttach(x *exchange, a args) result {
	on, ok := a.number(0, 1, 0, 1)
	if !ok || len(a) > 1 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	x.m.reg.detach = on == 0
	x.m.reg.refused = false
	x.m.mu.Unlock()
	if on == 0 {
		x.m.detach("detached by +CGATT", true)
		x.m.poke()
		return resultOK
	}
	return x.attach(x.m.personality.Delays.Attach, false)
}

// attach makes an attempt and waits for its end, or while for a network that is not there. A character may abort the waiting; the modem
// goes on by itself then.
func (x *exchange) attach(while Fact[time.Duration], abortable bool) result {
	m := x.m
	m.mu.Lock()
	r, over := m.attachEndLocked()
	m.mu.Unlock()
	if over {
		return r
	}
	x.flush()
	var aborted <-chan struct{}
	if abortable {
		var stop func()
		aborted, stop = x.p.typed(x.ctx)
		defer stop()
	}
	m.search()
	m.poke()
	limit := m.scaled(while.Value)
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		m.mu.Lock()
		r, over := m.attachEndLocked()
		absent := m.reg.lost || m.otherNetworkLocked()
		turned := m.turned
		m.mu.Unlock()
		if over {
			return r
		}
		timeout := late.C
		if !absent { // Run brings an end, whatever the delays are
			timeout = nil
		} else if limit <= 0 {
			return cmeError(cmeNoNetwork)
		}
		select {
		case <-turned:
		case <-timeout:
			return cmeError(cmeNoNetwork)
		case <-aborted:
			return cmeError(cmeNoNetwork)
		case <-x.ctx.Done():
			return cmeError(cmeNoNetwork)
		}
	}
}

// attachEndLocked tells whether an attach has come to its end, and to which.
func (m *Modem) attachEndLocked() (r result, over bool) {
	sim, ready := m.sim.check()
	switch {
	case m.reg.stat.registered():
		return resultOK, true
	case m.functions != 1:
		return cmeError(cmeNotAllowed), true
	case !ready:
		return sim, true
	case m.booting || m.stopped || m.cops.mode == 2 || m.reg.detach:
		return cmeError(cmeNoNetwork), true
	case m.reg.stat == RegistrationDenied && (m.reg.denied || m.reg.refused): // else that was the attempt before
		return attachError(m.reg.cause), true
	}
	return result{}, false
}

// attachError maps an EMM cause to +CME ERROR (TS 27.007 section 9.2.2.1).
func attachError(cause int) result {
	switch cause {
	case 3, 6, 7, 8, 11, 12, 13:
		return cmeError(100 + cause)
	}
	return cmeError(cmeNoNetwork)
}
