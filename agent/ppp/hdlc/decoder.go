package hdlc

import "bytes"

// minFrame is the shortest frame that is one: fewer octets between flags are silently discarded (RFC 1662 section 4.3).
const minFrame = 4

// Counters tell what a Decoder found on the line.
type Counters struct {
	Good     uint64
	BadFCS   uint64
	Short    uint64 // fewer than four octets, the FCS included
	Aborted  uint64 // ended by the transmitter with escape, flag
	Oversize uint64
}

// Decoder finds frames in a stream that arrives in chunks. It keeps only the unfinished frame, as it was on the line: a frame
// is unescaped once it is whole, since until then it may turn out to be the modem's words.
type Decoder struct {
	// ACCM names the control characters that the line may have inserted: they are removed where they come unescaped.
	ACCM uint32
	// NoCarrier makes the Decoder look for the sign by which data mode ends; see Decode.
	NoCarrier bool
	// Counters only grow.
	Counters Counters

	max      int    // longest frame, unescaped, with its FCS
	raw      []byte // the unfinished frame's octets of earlier chunks
	frame    []byte // room for an unescaped frame; no longer than raw may be
	oversize bool   // the unfinished frame is already too long: raw holds only its end
}

// NewDecoder makes a Decoder for frames of up to max octets between the flags, unescaped and with their FCS.
func NewDecoder(max int) *Decoder {
	return &Decoder{max: max, frame: make([]byte, 0, max)}
}

// Decode takes the next chunk and calls deliver for each good frame that it completes, without FCS. The slice is valid during the
// call only: a frame that lies whole and unescaped in the chunk is not copied.
//
// With NoCarrier, ended tells that data mode is over, and tail is the line from the sign on: CR LF NO CARRIER CR LF at the start of
// a frame, or within a frame that did not end well. Within a good frame the same octets are data. The Decoder is not to be used any
// more after that. See Candidate for a frame that does not end at all.
func (d *Decoder) Decode(chunk []byte, deliver func(frame []byte)) (tail []byte, ended bool) {
	for {
		if d.NoCarrier && d.signAtStart(chunk) {
			return joined(d.raw, chunk), true
		}
		end := bytes.IndexByte(chunk, flag)
		if end < 0 {
			return d.keep(chunk)
		}
		raw := chunk[:end]
		if len(d.raw) > 0 {
			d.raw = append(d.raw, raw...) // bounded: keep holds raw to its limit, and chunks are the reader's
			raw = d.raw
		}
		good := d.close(raw, deliver)
		if !good && d.NoCarrier {
			if at := bytes.Index(raw, noCarrier); at >= 0 {
				return joined(raw[at:], chunk[end:]), true
			}
		}
		d.raw, d.oversize = d.raw[:0], false
		chunk = chunk[end+1:]
	}
}

// close judges one frame, counts it, and delivers it when it is good.
func (d *Decoder) close(raw []byte, deliver func(frame []byte)) bool {
	if len(raw) == 0 {
		return true // two flags in a row: the time between frames
	}
	if d.oversize || len(raw) > d.rawLimit() {
		d.Counters.Oversize++
		return false
	}
	if raw[len(raw)-1] == escape {
		d.Counters.Aborted++
		return false
	}
	frame := raw
	if d.ACCM != 0 {
		frame = d.unescapeMapped(raw)
	} else if first := bytes.IndexByte(raw, escape); first >= 0 {
		frame = d.unescape(raw, first)
	}
	switch {
	case len(frame) > d.max:
		d.Counters.Oversize++
	case len(frame) < minFrame:
		d.Counters.Short++
	case updateFCS(fcsInit, frame) != fcsGood:
		d.Counters.BadFCS++
	default:
		d.Counters.Good++
		deliver(frame[:len(frame)-fcsSize])
		return true
	}
	return false
}

// keep stores the end of a chunk, which no flag closes yet.
func (d *Decoder) keep(chunk []byte) (tail []byte, ended bool) {
	d.raw = append(d.raw, chunk...)
	if !d.oversize && len(d.raw) <= d.rawLimit() {
		return nil, false
	}
	// Too long to end well, so a sign in it is not data.
	if d.NoCarrier {
		if at := bytes.Index(d.raw, noCarrier); at >= 0 {
			return joined(d.raw[at:], nil), true
		}
	}
	d.oversize = true
	d.raw = append(d.raw[:0], d.raw[len(d.raw)-len(noCarrier)+1:]...)
	return nil, false
}

// rawLimit is the length of the longest frame on the line, every octet escaped.
func (d *Decoder) rawLimit() int { return 2 * d.max }

// unescape copies raw, whose first escape is at first, into d.frame. raw does not end in an escape and is at most rawLimit long.
func (d *Decoder) unescape(raw []byte, first int) []byte {
	out := d.frame[:0]
	for at := first; at >= 0; at = bytes.IndexByte(raw, escape) {
		out = append(append(out, raw[:at]...), raw[at+1]^toggle)
		raw = raw[at+2:]
	}
	d.frame = append(out, raw...)
	return d.frame
}

// unescapeMapped is unescape under an ACCM: control characters that are in the map and not escaped were put in by the line
// (RFC 1662 section 4.2).
func (d *Decoder) unescapeMapped(raw []byte) []byte {
	out := d.frame[:0]
	for i := 0; i < len(raw); i++ {
		b := raw[i]
		if inACCM(d.ACCM, b) {
			continue
		}
		if b == escape {
			// What follows the escape is data, unless the line put it there.
			for i++; i < len(raw) && inACCM(d.ACCM, raw[i]); i++ {
			}
			if i == len(raw) {
				break
			}
			b = raw[i] ^ toggle
		}
		out = append(out, b)
	}
	d.frame = out
	return out
}
