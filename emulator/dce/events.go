package dce

// Event is something that happened to a modem.
type Event struct {
	Type   string // boot, registration, call, ppp, session
	State  string // boot: begins, ready; registration: <stat>; call: began, ended; ppp: up; session: opened, closed
	Port   string // call, ppp
	CID    int    // call, ppp, session
	Addr   string // ppp, session
	Reason string // call ended, session closed
}

// tellEvent tells whoever observes the modem. It may be called with radio held, and with no other lock.
func (m *Modem) tellEvent(e Event) {
	if e.Type == "session" && e.State == "opened" {
		m.traffic.sessions.Add(1)
	}
	if m.observe != nil {
		m.observe(e)
	}
}

// tellReady tells of the call's PPP link coming up. It ends with the link.
func (c *call) tellReady(over <-chan struct{}) {
	select {
	case <-c.conn.Ready():
	case <-over:
		select {
		case <-c.conn.Ready(): // it was short
		default:
			return
		}
	}
	c.p.m.tellEvent(Event{Type: "ppp", State: "up", Port: c.p.name, CID: c.cid, Addr: c.conn.Params().Peer.String()})
}

// errorText is a reason as events tell it.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
