package ppp

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"minato/agent/ppp/hdlc"
)

const (
	readBuffer = 64 << 10
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

	ipOpen  atomic.Bool
	deliver atomic.Pointer[func([]byte)]
	ipMu    sync.Mutex // held while deliver runs: the loop hands over packets too, those that overtook IPCP's last word

	suspect chan struct{} // holds a token when candidate was set
	mu      sync.Mutex    // guards what follows
	// candidate is the line from a NO CARRIER on that stands in an unfinished frame, until anything more comes.
	candidate []byte
	ended     bool   // the event loop has taken candidate as the end of data mode,
	late      []byte // and this came after it

	sign []byte // set when run returns errStopReading; read after that
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
			if _, err := r.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

// Write takes one chunk of the line: reader is what the port's WriteTo writes to.
func (r *reader) Write(chunk []byte) (int, error) {
	r.mu.Lock()
	r.candidate = nil
	if r.ended {
		r.late = append(r.late, chunk...)
		r.mu.Unlock()
		return len(chunk), nil
	}
	r.mu.Unlock()

	before := r.decoder.Counters
	sign, ended := r.decoder.Decode(chunk, r.frame)
	r.count(before, len(chunk))
	if ended {
		r.sign = sign
		r.ipOpen.Store(false) // not one packet more: the line belongs to AT
		return len(chunk), errStopReading
	}
	if tail, ok := r.decoder.Candidate(); ok {
		r.mu.Lock()
		r.candidate = tail
		r.mu.Unlock()
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

// packet hands an IP packet over.
func (r *reader) packet(p []byte) {
	deliver := r.deliver.Load()
	if deliver == nil || !r.ipOpen.Load() || len(p) == 0 {
		r.counters.dropped.Add(1)
		return
	}
	r.ipMu.Lock()
	defer r.ipMu.Unlock()
	(*deliver)(p)
	r.counters.packetsIn.Add(1)
}

// silent is called when the line was silent for long enough after the last suspect. It tells whether data mode has ended so.
func (r *reader) silent() (sign []byte, ended bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = r.candidate != nil
	return r.candidate, r.ended
}
