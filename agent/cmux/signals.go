package cmux

// Signals are the V.24 circuits of a channel, as one end tells them to the other by MSC (section 5.4.6.3.7). The names are the
// standard's, since each is another circuit at each end.
type Signals struct {
	RTC bool // ready to communicate: DTR from the host, DSR from the modem
	RTR bool // ready to receive: RTS from the host, CTS from the modem
	IC  bool // incoming call: RI from the modem
	DV  bool // data valid: DCD from the modem
}

// signalsSize is the length of MSC's value without the optional break octet.
const signalsSize = 2

// octet is MSC's signal octet; hold is the FC bit, by which the channel's sender must wait.
func (s Signals) octet(hold bool) byte {
	b := byte(ea)
	for _, bit := range []struct {
		set  bool
		mask byte
	}{{hold, 1 << 1}, {s.RTC, 1 << 2}, {s.RTR, 1 << 3}, {s.IC, 1 << 6}, {s.DV, 1 << 7}} {
		if bit.set {
			b |= bit.mask
		}
	}
	return b
}

func parseSignals(b byte) (s Signals, hold bool) {
	return Signals{RTC: b&(1<<2) != 0, RTR: b&(1<<3) != 0, IC: b&(1<<6) != 0, DV: b&(1<<7) != 0}, b&(1<<1) != 0
}
