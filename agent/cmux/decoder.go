package cmux

import "bytes"

// Counters tell what a Decoder found on the line. They only grow.
type Counters struct {
	Good      uint64 // frames
	BadFCS    uint64 // frames
	Oversize  uint64 // headers that announce more than the Decoder takes
	Malformed uint64 // headers that are none, and frames that no flag closes
	Junk      uint64 // octets outside of good frames
}

// Decoder finds frames in a stream that arrives in chunks. Flags do not delimit frames in the basic option, since they are not
// escaped within (section 5.2.6): a frame is as long as its header says, and is one only if its FCS is good and a flag follows.
// Where that fails the Decoder looks for the next flag after the one that it started from, so that a wrong length costs no
// frame but its own.
type Decoder struct {
	Counters Counters

	max     int    // longest information field
	pending []byte // the unfinished frame, from its address on
	synced  bool   // the last octet was a flag that may open a frame, or pending follows one
}

// NewDecoder makes a Decoder for frames with up to max octets of information. A longer one is taken for a wrong header.
func NewDecoder(max int) *Decoder { return &Decoder{max: max} }

// Decode takes the next chunk and calls deliver for each good frame that it completes. Info is valid during the call only.
// When deliver returns false, decoding ends, and rest is what follows that frame: it is not the multiplexer's.
func (d *Decoder) Decode(chunk []byte, deliver func(Frame) bool) (rest []byte, ended bool) {
	buf := chunk
	if len(d.pending) > 0 {
		d.pending = append(d.pending, chunk...)
		buf = d.pending
	}
	for {
		if !d.synced {
			at := bytes.IndexByte(buf, flag)
			if at < 0 {
				d.Counters.Junk += uint64(len(buf))
				d.pending = d.pending[:0]
				return nil, false
			}
			d.Counters.Junk += uint64(at)
			buf, d.synced = buf[at+1:], true
		}
		for len(buf) > 0 && buf[0] == flag { // flags fill the time between frames, and one may close and open
			buf = buf[1:]
		}
		f, size, verdict := d.scan(buf)
		if verdict == unfinished {
			d.pending = append(d.pending[:0], buf...)
			return nil, false
		}
		if verdict != good {
			d.count(verdict)
			d.synced = false
			continue
		}
		d.Counters.Good++
		buf = buf[size:]
		if !deliver(f) {
			d.pending, d.synced = d.pending[:0], false
			return bytes.TrimLeft(buf, "\xf9"), true
		}
	}
}

type verdict int

const (
	good verdict = iota
	unfinished
	badFCS
	oversize
	malformed
)

func (d *Decoder) count(v verdict) {
	switch v {
	case badFCS:
		d.Counters.BadFCS++
	case oversize:
		d.Counters.Oversize++
	case malformed:
		d.Counters.Malformed++
	}
}

// scan judges what follows an opening flag. size includes the closing flag.
func (d *Decoder) scan(p []byte) (f Frame, size int, v verdict) {
	if len(p) == 0 {
		return f, 0, unfinished
	}
	if p[0]&ea == 0 { // an address has one octet (section 5.2.1.2)
		return f, 0, malformed
	}
	if len(p) < 2 {
		return f, 0, unfinished
	}
	f = Frame{DLCI: p[0] >> 2, Command: p[0]&cr != 0, Type: FrameType(p[1] &^ pf), PF: p[1]&pf != 0}
	informs := false
	switch f.Type {
	case UIH, UI:
		informs = true
	case SABM, UA, DM, DISC:
	default:
		return f, 0, malformed
	}
	if len(p) < 3 {
		return f, 0, unfinished
	}
	header, n := 3, int(p[2]>>1)
	if p[2]&ea == 0 { // also where one octet would do, as SIMCom's modems have it
		if len(p) < 4 {
			return f, 0, unfinished
		}
		header, n = 4, n|int(p[3])<<7
	}
	switch {
	case n > 0 && !informs:
		return f, 0, malformed
	case n > d.max:
		return f, 0, oversize
	}
	size = header + n + trailerSize
	if len(p) < size {
		return f, 0, unfinished
	}
	covered := p[:header]
	if f.Type == UI {
		covered = p[:header+n]
	}
	switch {
	case ^updateFCS(fcsInit, covered) != p[header+n]:
		return f, 0, badFCS
	case p[size-1] != flag:
		return f, 0, malformed
	}
	f.Info = p[header : header+n]
	return f, size, good
}
