package dce

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"minato/emulator/core"
	"minato/emulator/pty"
)

// chunkSize is what one read of a data call takes at most. A pseudo-terminal gives 4 KiB at a time, as a rule, a socket more.
const chunkSize = 16 << 10

var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// writeGrace is how long a write that is under way at the end of a call may take: a user who reads gets whole frames.
const writeGrace = 250 * time.Millisecond

// dataPort is the line as the PPP server has it. It watches the incoming bytes for the escape (V.250 section 5.5 leaves it to the
// maker; Hayes's is meant): a guard time of silence, +++, and a guard time of silence.
type dataPort struct {
	c       *call
	closing atomic.Bool
	forced  atomic.Bool   // command state is wanted with no escape sequence
	ended   chan struct{} // closed by Close
	once    sync.Once
	reading sync.Mutex // held while the PPP engine reads
	writing sync.Mutex // held by Write: what it has begun is on the line before command state begins

	heard, said io.Writer // of the capture; nil: there is none
}

func newDataPort(c *call) *dataPort {
	d := &dataPort{c: c, ended: make(chan struct{})}
	if capture := c.p.m.capture; capture != nil {
		d.heard, d.said = capture(core.FromDevice), capture(core.ToDevice)
	}
	return d
}

// record tells a capture of octets; it never fails (see Config.CapturePPP).
func record(to io.Writer, octets []byte) {
	if to != nil {
		to.Write(octets)
	}
}

// WriteTo gives the line's bytes to w, a chunk at a time as they come. It ends at Close, with the line, or at a fall of DTR.
func (d *dataPort) WriteTo(w io.Writer) (int64, error) {
	d.reading.Lock()
	defer d.reading.Unlock()
	buf := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(buf)
	var total int64
	esc := escape{last: time.Now()}
	for {
		n, err := d.read(buf[:])
		if err != nil {
			if d.closing.Load() {
				return total, io.EOF
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				return total, err
			}
		}
		set := d.c.p.settings()
		now := time.Now()
		var through []byte // what turned out to be data before this chunk
		switch {
		case n == 0:
			if forced := d.forced.Swap(false); esc.count == 3 || forced {
				esc = escape{}
				d.c.p.readDeadline(time.Time{})
				if !d.handOver() {
					return total, io.EOF
				}
				esc.last = time.Now()
				continue
			}
			through = esc.flush()
		case esc.take(buf[:n], now, guardTime(&set), set.reg(2)):
			d.readUntil(now.Add(guardTime(&set)))
			if d.closing.Load() {
				return total, io.EOF
			}
			continue
		default:
			through = esc.flush()
			esc.last = now
		}
		if len(through) > 0 {
			d.readUntil(time.Time{})
			if d.closing.Load() {
				return total, io.EOF
			}
			record(d.heard, through)
			m, err := w.Write(through)
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
		if n > 0 && !d.c.p.m.air.mute.Load() {
			record(d.heard, buf[:n])
			m, err := w.Write(buf[:n])
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
	}
}

// read reads the line and deals with a fall of DTR.
func (d *dataPort) read(buf []byte) (int, error) {
	for {
		if d.closing.Load() {
			return 0, io.EOF
		}
		n, err := d.c.p.read(buf)
		if !errors.Is(err, pty.ErrHangup) {
			return n, err
		}
		d.c.p.userGone()
		d.c.p.log.Info("the user closed the port")
		switch d.c.p.settings().d {
		case 2: // hang up
			d.c.p.out.discard()
			d.c.quiet.Store(true)
			return 0, io.EOF
		case 1: // keep the call, go to command state
			if !d.handOver() {
				return 0, io.EOF
			}
		}
	}
}

// escapeLocked goes to online command state, as &D1 wants it when DTR falls. port.mu is held, and the call is in data state.
func (d *dataPort) escapeLocked() {
	d.forced.Store(true)
	if !d.c.p.ending {
		d.c.p.line.SetReadDeadline(time.Unix(1, 0))
	}
}

// readUntil sets when the next read returns, at once if command state is wanted.
func (d *dataPort) readUntil(t time.Time) {
	d.c.p.readDeadline(t)
	if d.forced.Load() {
		d.c.p.readDeadline(time.Unix(1, 0))
	}
}

// handOver gives the line to the command interpreter until ATO. It is false when the call has ended meanwhile.
func (d *dataPort) handOver() bool {
	p := d.c.p
	p.mu.Lock()
	d.c.escaped = true
	d.forced.Store(false) // if it was wanted in another way, too
	p.mu.Unlock()
	d.writing.Lock()
	d.writing.Unlock() //lint:ignore SA2001 waits for a Write that did not see it yet
	select {
	case d.c.leave <- struct{}{}:
	case <-d.ended:
		return false
	}
	select {
	case <-d.c.back:
	case <-d.ended:
		return false
	}
	p.mu.Lock()
	d.c.escaped, p.reserved = false, false
	p.mu.Unlock()
	return true
}

// Read is for engines that do not use WriteTo. It knows no escape.
func (d *dataPort) Read(b []byte) (int, error) {
	d.reading.Lock()
	defer d.reading.Unlock()
	n, err := d.read(b)
	if err != nil && d.closing.Load() {
		return n, io.EOF
	}
	return n, err
}

// Write blocks while the user does not read. In online command state the bytes are lost, as on a line that was switched away.
func (d *dataPort) Write(b []byte) (int, error) {
	if d.closing.Load() {
		return 0, errEnded
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	p := d.c.p
	p.mu.Lock()
	escaped := d.c.escaped
	p.mu.Unlock()
	if escaped || p.m.air.mute.Load() {
		return len(b), nil
	}
	record(d.said, b)
	n, err := p.out.write(b)
	if err == nil && len(b) < maxTerminateAck && bytes.Contains(b, terminateAck) {
		d.c.terminate()
	}
	return n, err
}

// terminateAck is how a Terminate-Ack begins on the line: LCP has its header uncompressed and its control characters escaped,
// whatever was agreed on (RFC 1662 section 7). RFC 1661 section 3.7 keeps the end that sent it for one more restart interval, in case
// it is lost; on a line that loses nothing modems print NO CARRIER at once, and a redial must not wait.
var terminateAck = []byte{0xff, 0x7d, 0x23, 0xc0, 0x21, 0x7d, 0x26}

// maxTerminateAck bounds the writes that are looked at: an acknowledgement of a request without data is a third of it.
const maxTerminateAck = 64

// Unread takes back what followed the PPP link: it is the command interpreter's.
func (d *dataPort) Unread(b []byte) {
	d.c.p.pending = append(bytes.Clone(b), d.c.p.pending...)
}

// Close ends reads and writes. The line itself stays open.
func (d *dataPort) Close() error {
	d.once.Do(func() {
		d.closing.Store(true)
		close(d.ended)
		p := d.c.p
		p.mu.Lock()
		if !d.c.escaped { // else the command interpreter reads
			p.line.SetReadDeadline(time.Unix(1, 0))
		}
		p.line.SetWriteDeadline(time.Now().Add(writeGrace))
		p.mu.Unlock()
	})
	return nil
}

// wait returns when the PPP engine no longer reads.
func (d *dataPort) wait() {
	d.reading.Lock()
	defer d.reading.Unlock()
}
