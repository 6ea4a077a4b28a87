package atline

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warthog618/modem/at"
)

// Config of a Line. The zero value works.
type Config struct {
	Logger *slog.Logger // nil: silent. At debug level it shows every line, secrets masked

	// OnURC gets the unsolicited result codes, one at a time and in the order of the wire, from the goroutine that reads the port:
	// it must return soon, and must not issue commands. nil: they are dropped.
	OnURC func(URC)

	Timeout time.Duration // of a command whose context has no deadline; 0: 5 s
	Sync    time.Duration // how long the first AT of a resynchronisation waits; 0: 1 s
	Settle  time.Duration // silence that ends a resynchronisation; 0: 200 ms
	Guard   time.Duration // silence around +++ (V.250 has none, Hayes S12); 0: 1 s
}

// URC is one unsolicited result code, with the lines that belong to it.
type URC struct {
	Line    string   // "+CEREG: 1", "RING", "NO CARRIER"
	Payload []string // the message of +CMT, +CDS and +CBM
}

// Name is what the line begins with: "+CEREG", or the whole line where it has no name.
func (u URC) Name() string {
	if n := lineName(u.Line); n != "" {
		return n
	}
	return u.Line
}

var (
	// ErrOnline is returned for a command while the port carries a call: Escape first.
	ErrOnline = errors.New("the port is in data mode")
	// ErrNotConnected is returned when the modem answers a dial with a result that is neither CONNECT nor a refusal.
	ErrNotConnected = errors.New("the modem answers a dial with another result than CONNECT")
	// ErrNoReply is returned when the modem does not answer AT after a command that timed out.
	ErrNoReply = errors.New("the modem does not answer")
	// ErrLate is returned when the modem answered AT after a command that had timed out, but what else it has to say did not come in time.
	ErrLate = errors.New("the modem answers late")
	// ErrPrompt is returned when the modem asks for text, as +CMGS does: there is none to give, and it is told to forget the command.
	ErrPrompt = errors.New("the modem asks for text, which cannot be given here: the command is abandoned")
)

// deadliner is a port whose blocked Write can be ended. A tty.Port and a net.Conn are; on others a full line blocks until Close.
type deadliner interface{ SetWriteDeadline(time.Time) error }

// Line owns a port: New starts its reader, Close ends it. Its methods may be used by several goroutines; commands take turns.
//
//	            Connect: CONNECT            Escape: OK
//	command ------------------------> data ------------> command, call suspended
//	  ^  ^                             |  |                   |        |
//	  |  +--- NO CARRIER (Unread) -----+  |  Data.Close       | Resume |
//	  |                                   v                   v        |
//	  +------ Escape ------------ command, call still up    data    +--+ HangUp: the caller's ATH
type Line struct {
	port io.ReadWriteCloser
	cfg  Config
	log  *slog.Logger

	turn      chan struct{} // held by the command that is under way
	bus       sync.Mutex    // held while bytes are parsed and OnURC called, so that URCs stay in order
	done      chan struct{} // closed when the port is lost or closed
	readDone  chan struct{} // closed when the reader has returned
	activity  chan struct{} // one token per line that came while nothing was asked
	lastWrite atomic.Int64  // nanoseconds since start
	start     time.Time

	wmu sync.Mutex // held while port.Write runs

	mu      sync.Mutex // guards what follows
	split   splitter
	at      *at.AT
	shim    *shim
	pending *pending // the command under way
	late    *pending // the last command that was given up: its reply may still come
	dirty   bool     // a reply may still come: resynchronise before the next command
	noise   bool     // a call ended by itself under our writes: the modem may answer what was on its way as if it were commands
	owed    int      // final results of given-up commands that did not come yet
	text    bool     // the modem may wait for text, and take AT for it
	data    *Data    // not nil in data mode
	online  bool     // the modem carries a call, whether or not we read it
	urc     *URC     // waits for its payload lines
	lost    error    // why the port is gone
	dropped int      // lines of noise
}

// New starts a line on port, which must be in command mode or idle. Nothing is written before the first command.
func New(port io.ReadWriteCloser, cfg Config) *Line {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&cfg.Timeout, 5*time.Second)
	setDefault(&cfg.Sync, time.Second)
	setDefault(&cfg.Settle, 200*time.Millisecond)
	setDefault(&cfg.Guard, time.Second)
	l := &Line{
		port: port, cfg: cfg, log: cfg.Logger,
		turn: make(chan struct{}, 1), done: make(chan struct{}), readDone: make(chan struct{}),
		activity: make(chan struct{}, 1), start: time.Now(),
	}
	l.renewLocked()
	go l.read()
	return l
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// renewLocked makes a new command sender, with nothing in its pipeline.
func (l *Line) renewLocked() {
	l.shim = newShim(l)
	l.at = at.New(l.shim, at.WithTimeout(-1)) // our contexts keep the time
}

// Close closes the port and waits for everything that the line started. A Data's Read and a command under way return io.EOF.
func (l *Line) Close() error {
	err := l.port.Close()
	l.lose(io.EOF)
	<-l.readDone
	l.mu.Lock()
	sender := l.at
	l.mu.Unlock()
	<-sender.Closed()
	return err
}

// Done is closed when the port is gone. Err then tells why.
func (l *Line) Done() <-chan struct{} { return l.done }

// Err is nil while the port is there.
func (l *Line) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Online tells whether the modem carries a call on this port, as far as is known.
func (l *Line) Online() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.online
}

// read is the one reader of the port. It ends with the port.
func (l *Line) read() {
	defer close(l.readDone)
	buf := make([]byte, 16<<10) // a terminal gives 4 KiB at a time, as a rule
	for {
		n, err := l.port.Read(buf)
		l.consume(buf[:n])
		if err != nil {
			l.lose(err)
			return
		}
	}
}

// consume gives bytes of the wire to whoever they belong to.
func (l *Line) consume(p []byte) {
	for len(p) > 0 {
		l.mu.Lock()
		d := l.data
		if d != nil && l.split.cr { // the CONNECT line's LF is not data, even if it comes in a later read
			l.split.cr = false
			if p[0] == '\n' {
				p = p[1:]
			}
		}
		l.mu.Unlock()
		if d == nil {
			p = l.parse(p)
		} else {
			p = d.deliver(p)
		}
	}
}

// parse reads lines until p is empty or data mode begins, and returns what is left.
func (l *Line) parse(p []byte) []byte {
	l.bus.Lock()
	defer l.bus.Unlock()
	return l.parseLocked(p)
}

func (l *Line) parseLocked(p []byte) []byte {
	for len(p) > 0 {
		l.mu.Lock()
		if l.data != nil {
			l.mu.Unlock()
			return p
		}
		line, rest, ok := l.split.next(p)
		p = rest
		var u *URC
		if ok {
			u = l.lineLocked(line)
		} else {
			l.promptLocked()
		}
		l.mu.Unlock()
		if u != nil && l.cfg.OnURC != nil {
			l.cfg.OnURC(*u)
		}
	}
	return nil
}

// lose ends everything that waits for the port.
func (l *Line) lose(err error) {
	l.mu.Lock()
	if l.lost != nil {
		l.mu.Unlock()
		return
	}
	l.lost = err
	l.online = false
	d := l.data
	l.data = nil
	if p := l.pending; p != nil {
		l.pending = nil
		p.finish("", io.EOF)
	}
	l.shim.close()
	l.mu.Unlock()
	if d != nil {
		d.end(io.EOF)
	}
	close(l.done)
	l.log.Debug("port closed", "reason", err)
}

// write sends bytes to the port. A context that ends makes a blocked write return, where the port can.
func (l *Line) write(ctx context.Context, p []byte) error {
	l.wmu.Lock()
	defer l.wmu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := l.writeLocked(p, func() bool { return ctx.Err() != nil })
	return err
}

// writeLocked writes under wmu. An interruption that was meant for an earlier write, by its owner's ended, is not this one's.
func (l *Line) writeLocked(p []byte, ended func() bool) (int, error) {
	var done int
	for {
		n, err := l.port.Write(p[done:])
		done += n
		if errors.Is(err, os.ErrDeadlineExceeded) && !ended() {
			l.port.(deadliner).SetWriteDeadline(time.Time{})
			continue
		}
		l.lastWrite.Store(int64(time.Since(l.start)))
		return done, err
	}
}

// interrupt makes a blocked write return.
func (l *Line) interrupt() {
	d, ok := l.port.(deadliner)
	if !ok {
		return
	}
	if l.wmu.TryLock() { // nobody writes
		l.wmu.Unlock()
		return
	}
	if d.SetWriteDeadline(time.Unix(1, 0)) != nil {
		return
	}
	l.wmu.Lock()
	d.SetWriteDeadline(time.Time{})
	l.wmu.Unlock()
}
