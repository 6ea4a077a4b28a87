package dce

import "strings"

// maxDeferred bounds the unsolicited results that a port keeps.
const maxDeferred = 64

// unsolicited sends a result that answers no command. It waits while the line is reserved: until the final result of the command
// line under way, so that no effect of a command comes before its echo or inside its answer; while text is entered; and in data mode,
// where a result that is not to be kept is lost (TS 27.007 section 10.1.19). V and Q are for it as for the final results (V.250
// section 5.7.2).
func (p *port) unsolicited(r result, keep bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := r.format(&p.set, "")
	switch {
	case text == "": // Q1
	case p.mux != nil: // what is on the line belongs to frames
	case p.onlineLocked() && !keep || len(p.deferred) == maxDeferred:
		p.out.dropped.Add(uint64(len(text)))
	default:
		p.deferred = append(p.deferred, text)
		p.releaseLocked(nil)
	}
}

// onlineLocked tells that the line carries data.
func (p *port) onlineLocked() bool { return p.call != nil && !p.call.escaped }

// reserve takes the line for the answer to a command line, or to a text that was entered.
func (p *port) reserve() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reserved, p.asking = true, false
}

// release ends the answer: its last bytes go out, and what waited for them goes behind, in one write.
func (p *port) release(out []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reserved = false
	p.releaseLocked(out)
}

// releaseLocked sends out, and the results that wait if they need not wait any longer.
func (p *port) releaseLocked(out []byte) {
	if len(p.deferred) > 0 && !p.reserved && !p.asking && !p.onlineLocked() {
		out = append(out, strings.Join(p.deferred, "")...)
		p.deferred = nil
	}
	p.out.send(out)
}
