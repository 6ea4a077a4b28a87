package hdlc

import "bytes"

// noCarrier is the result code by which a modem tells that it left data mode (V.250 section 6.2.7, verbose). A port without DCD, a
// PTY for one, has no other sign.
var noCarrier = []byte("\r\nNO CARRIER\r\n")

// signAtStart tells whether the unfinished frame and the chunk that follows it begin with the sign.
func (d *Decoder) signAtStart(chunk []byte) bool {
	n := len(d.raw)
	return n < len(noCarrier) && !d.oversize && bytes.HasPrefix(noCarrier, d.raw) && bytes.HasPrefix(chunk, noCarrier[n:])
}

// Candidate tells whether the unfinished frame holds the sign with nothing but text after it. It is data if the frame closes with a
// good FCS; if the line stays silent instead, data mode has ended, and tail is the line from the sign on. The caller has the clock.
func (d *Decoder) Candidate() (tail []byte, ok bool) {
	if !d.NoCarrier {
		return nil, false
	}
	at := bytes.Index(d.raw, noCarrier)
	if at < 0 {
		return nil, false
	}
	for _, b := range d.raw[at:] {
		if (b < ' ' || b > '~') && b != '\r' && b != '\n' {
			return nil, false // a packet goes on
		}
	}
	return joined(d.raw[at:], nil), true
}

// PartialSign returns what came since the last flag if it is the beginning of the sign: when the link ends for another reason just
// then, these octets are the modem's words.
func (d *Decoder) PartialSign() []byte {
	if !d.NoCarrier || d.oversize || !bytes.HasPrefix(noCarrier, d.raw) {
		return nil
	}
	return joined(d.raw, nil)
}

// joined copies a and b, since both are parts of buffers that are used again.
func joined(a, b []byte) []byte {
	return append(append(make([]byte, 0, len(a)+len(b)), a...), b...)
}
