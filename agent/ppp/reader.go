package ppp

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"minato/agent/ppp/hdlc"
)

const (
	readBuffer = 16 << 10
	maxPending = 64 // frames that wait for the event loop; a flood beyond is dropped and counted
)

var errStopReading = errors.New("data mode has ended")

// received is a frame for the event loop.
type received struct {
	proto   Protocol
	payload []byte
}

// reader takes the line apart. IP packets go straight to the stack while IPCP is open, everything else to the event loop.
type reader struct {
	port     io.Reader
	decoder  *hdlc.Decoder
	counters *counters
	frames   chan received // to the event loop, never blocking

	ipOpen atomic.Bool
	to     atomic.Pointer[receiver]
	ipMu   sync.Mutex // held while its functions run: the loop hands over packets too, those that overtook IPCP's last word

	suspect chan struct{} // gets a token when a NO CARRIER stands in the unfinished frame at the end of a chunk

	mu      sync.Mutex // held while a chunk is decoded, deliver included: others only try it. Guards what follows, and decoder
	sign    []byte     // set when run returns errStopReading
	stopped bool       // PPP takes no more octets:
	late    []byte     // these came nevertheless
}

// run reads until the port fails or data mode ends.
func (r *reader) run() error {
	if wt, ok := r.port.(io.WriterTo); ok {
		_, err := wt.WriteTo(r)
		if err == nil {
			err = io.EOF
		}
		return err
	}
	buf := make([]byte, readBuffer)
	for {
		n, err := r.port.Read(buf)
		if n > 0 {
			if taken, err := r.Write(buf[:n]); err != nil {
				r.late = append(r.late, buf[taken:n]...) // nobody else has it
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// Write takes one chunk of the line: reader is what the port's WriteTo writes to. A chunk that comes after the end is not taken,
// so that it stays with the port.
func (r *reader) Write(chunk []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return 0, errStopReading
	}
	before := r.decoder.Counters
	sign, ended := r.decoder.Decode(chunk, r.frame)
	r.flush()
	r.count(before, len(chunk))
	if ended {
		r.sign = sign
		r.ipOpen.Store(false) // not one packet more: the line belongs to AT
		return len(chunk), errStopReading
	}
	if _, ok := r.decoder.Candidate(); ok {
		select {
		case r.suspect <- struct{}{}:
		default:
		}
	}
	return len(chunk), nil
}

func (r *reader) count(before hdlc.Counters, n int) {
	after := r.decoder.Counters
	r.counters.bytesIn.Add(uint64(n))
	r.counters.framesIn.Add(after.Good - before.Good)
	r.counters.badFCS.Add(after.BadFCS - before.BadFCS)
	r.counters.malformed.Add(after.Short + after.Aborted + after.Oversize - before.Short - before.Aborted - before.Oversize)
}

// frame takes one good frame.
func (r *reader) frame(frame []byte) {
	proto, payload, ok := parseHeader(frame)
	if !ok {
		r.counters.malformed.Add(1)
		return
	}
	if proto == ProtoIPv4 && r.ipOpen.Load() {
		r.packet(payload)
		return
	}
	// The packet that follows the peer's last word in IPCP may be here before the loop has read that word: it waits behind it.
	select {
	case r.frames <- received{proto, append([]byte(nil), payload...)}:
	default:
		r.counters.dropped.Add(1)
	}
}

// receiver is who takes the IP packets.
type receiver struct {
	deliver func([]byte)
	flush   func() // nil: deliver holds nothing back
}

// flush tells the receiver that no more packets are at hand.
func (r *reader) flush() {
	to := r.to.Load()
	if to == nil || to.flush == nil {
		return
	}
	r.ipMu.Lock()
	defer r.ipMu.Unlock()
	to.flush()
}

// packet hands an IP packet over.
func (r *reader) packet(p []byte) {
	to := r.to.Load()
	if to == nil || !r.ipOpen.Load() || len(p) == 0 {
		r.counters.dropped.Add(1)
		return
	}
	r.ipMu.Lock()
	defer r.ipMu.Unlock()
	to.deliver(p)
	r.counters.packetsIn.Add(1)
}

// silent is called when the line was silent for long enough after a suspect. It tells whether data mode has ended so.
func (r *reader) silent() (sign []byte, ended bool) {
	if !r.mu.TryLock() {
		return nil, false // it is not silent
	}
	defer r.mu.Unlock()
	if len(r.suspect) > 0 {
		return nil, false // nor was it for long
	}
	sign, ended = r.decoder.Candidate()
	r.stopped = r.stopped || ended
	return sign, ended
}

// stop makes the reader take no more, when it is not at work just now, and returns what of the last chunk was not PPP's.
func (r *reader) stop() (rest []byte, ok bool) {
	if !r.mu.TryLock() {
		return nil, false
	}
	defer r.mu.Unlock()
	switch {
	case r.stopped:
	case r.sign != nil: // the modem spoke while the link was ending for another reason,
		rest = r.sign
	default:
		rest = r.decoder.PartialSign() // or began to
	}
	r.stopped = true
	return rest, true
}
