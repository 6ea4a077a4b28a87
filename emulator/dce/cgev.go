package dce

import "fmt"

// eventReporting is +CGEREP (TS 27.007 section 10.1.19).
type eventReporting struct {
	mode, bfr int
	kept      []string // what mode 0 has not told
}

// maxKeptEvents bounds the buffer; the oldest go first.
const maxKeptEvents = 32

// event reports a packet domain event. Mode 0 keeps it; for a port in data mode 1 drops it and 2 keeps it.
func (m *Modem) event(text string) {
	m.mu.Lock()
	mode := m.gerep.mode
	switch {
	case m.booting:
		mode = 0
	case mode == 0:
		m.gerep.kept = append(m.gerep.kept, text)
		if n := len(m.gerep.kept); n > maxKeptEvents {
			m.gerep.kept = m.gerep.kept[n-maxKeptEvents:]
		}
	}
	m.mu.Unlock()
	if mode > 0 {
		m.tell("+CGEV: "+text, mode == 2)
	}
}

// contextEvent reports one about a context, in the personality's words.
func (m *Modem) contextEvent(format string, c *pdpContext) {
	m.mu.Lock()
	text := m.formatLocked(format, c, nil)
	m.mu.Unlock()
	m.event(text)
}

func readEventReporting(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info(fmt.Sprintf("+CGEREP: %d,%d", x.m.gerep.mode, x.m.gerep.bfr))
	return resultOK
}

// setEventReporting also says what becomes of events that were kept: bfr 1 tells them after OK, 0 forgets them.
func setEventReporting(x *exchange, a args) result {
	mode, ok1 := a.number(0, 0, 0, 2)
	bfr, ok2 := a.number(1, 0, 0, 1)
	if !ok1 || !ok2 || len(a) > 2 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	g := &x.m.gerep
	g.mode, g.bfr = mode, bfr
	r := resultOK
	if mode > 0 {
		kept := g.kept
		g.kept = nil
		if bfr == 1 && len(kept) > 0 {
			m := x.m
			r.after = func() {
				for _, text := range kept {
					m.tell("+CGEV: "+text, mode == 2)
				}
			}
		}
	}
	return r
}
