package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"minato/agent/atline"
	"minato/agent/cmux"
	"minato/agent/modem"
)

// Channels of a multiplexed port.
const (
	atChannel   = 1
	dataChannel = 2
)

// A multiplex makes two ports of one (3GPP TS 27.010), so that the modem can be asked while a call is up.
//
//	AT line  --- channel 1 --+
//	                         +-- cmux.Mux --- the line in another protocol --- port
//	PPP line --- channel 2 --+
type multiplex struct {
	line   *atline.Line // the port
	mux    *cmux.Mux
	cancel context.CancelFunc
	ended  chan error
	ports  []*channelPort

	answers atomic.Bool // the modem knows the Test command: its silence means something
}

// muxTimeout bounds starting and ending the multiplexer.
const muxTimeout = 10 * time.Second

// startMultiplex tries the modem's ways. It returns nil where the modem knows none.
func startMultiplex(ctx context.Context, line *atline.Line, ways []modem.Multiplex, log *slog.Logger) (*multiplex, error) {
	for _, way := range ways {
		data, err := handOver(ctx, line, way.Command)
		if modem.Refused(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("starting the multiplexer: %w", err)
		}
		return openMultiplex(ctx, line, data, way.N1, log)
	}
	return nil, nil
}

func handOver(ctx context.Context, line *atline.Line, command string) (*atline.Data, error) {
	ctx, cancel := context.WithTimeout(ctx, muxTimeout)
	defer cancel()
	return line.Handover(ctx, command)
}

// resumeMultiplex is for a modem that stays in the multiplexer whatever it is told: it opens the channels of the one that is there.
func resumeMultiplex(ctx context.Context, line *atline.Line, log *slog.Logger) (*multiplex, error) {
	data, err := line.Seize(ctx)
	if err != nil {
		return nil, err
	}
	return openMultiplex(ctx, line, data, 0, log) // frames of 31 octets, which every N1 allows
}

// openMultiplex opens the two channels on a port that is in the multiplexer's protocol.
func openMultiplex(ctx context.Context, line *atline.Line, port io.ReadWriteCloser, n1 int, log *slog.Logger) (*multiplex, error) {
	x := runMultiplex(line, port, n1, log)
	ctx, cancel := context.WithTimeout(ctx, muxTimeout)
	defer cancel()
	for _, dlci := range []byte{atChannel, dataChannel} {
		ch, err := x.mux.Open(ctx, dlci)
		if err != nil {
			return nil, errors.Join(err, x.end())
		}
		x.ports = append(x.ports, newChannelPort(ch))
	}
	return x, nil
}

func runMultiplex(line *atline.Line, port io.ReadWriteCloser, n1 int, log *slog.Logger) *multiplex {
	ctx, cancel := context.WithCancel(context.Background())
	x := &multiplex{line: line, cancel: cancel, ended: make(chan error, 1)}
	x.mux = cmux.New(port, cmux.Config{Role: cmux.Initiator, N1: n1, Logger: log})
	go func() { x.ended <- x.mux.Run(ctx) }() // ends by end
	return x
}

// end closes the multiplexer down, and gives the line its command mode back.
func (x *multiplex) end() error {
	var closing sync.WaitGroup
	for _, p := range x.ports {
		closing.Go(func() { p.Close() })
	}
	err := x.mux.Close()
	closing.Wait()
	x.cancel()
	<-x.ended
	x.line.Return()
	return err
}

// leaveMultiplex is for a modem that an earlier process left multiplexing: it takes AT for noise, but hears a close-down. It is false
// where nobody answers as a multiplexer.
func leaveMultiplex(ctx context.Context, line *atline.Line, log *slog.Logger) bool {
	data, err := line.Seize(ctx)
	if err != nil {
		return false
	}
	x := runMultiplex(line, data, 0, log)
	wait, cancel := context.WithTimeout(ctx, muxTimeout)
	defer cancel()
	answered := false
	select {
	case <-x.mux.Ready():
		answered = true
	case err := <-x.ended: // no answer: it is in no multiplexer
		x.ended <- err
	case <-wait.Done():
	}
	x.end()
	return answered
}

// A channelPort is a channel whose blocked Write can be ended: a modem that takes nothing holds up nobody.
type channelPort struct {
	*cmux.Channel
	out  chan []byte
	gone chan struct{} // closed by Close
	once sync.Once
	done chan struct{} // closed when the writer has ended

	mu   sync.Mutex
	past chan struct{} // closed while the write deadline is over
}

func newChannelPort(ch *cmux.Channel) *channelPort {
	p := &channelPort{Channel: ch, out: make(chan []byte), gone: make(chan struct{}), done: make(chan struct{}), past: make(chan struct{})}
	go p.write()
	return p
}

// write is the only one that waits for the channel. It ends with Close.
func (p *channelPort) write() {
	defer close(p.done)
	for {
		select {
		case b := <-p.out:
			if _, err := p.Channel.Write(b); err != nil {
				<-p.gone
				return
			}
		case <-p.gone:
			return
		}
	}
}

// Write hands b over. It returns when the one before it is on its way.
func (p *channelPort) Write(b []byte) (int, error) {
	p.mu.Lock()
	past := p.past
	p.mu.Unlock()
	select {
	case p.out <- append([]byte(nil), b...):
		return len(b), nil
	case <-past:
		return 0, os.ErrDeadlineExceeded
	case <-p.gone:
		return 0, io.ErrClosedPipe
	}
}

// SetWriteDeadline knows two times: one that is over makes Write return, the zero one lets it wait.
func (p *channelPort) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.past:
		if t.IsZero() {
			p.past = make(chan struct{})
		}
	default:
		if !t.IsZero() && !t.After(time.Now()) {
			close(p.past)
		}
	}
	return nil
}

// Close closes the channel.
func (p *channelPort) Close() error {
	p.once.Do(func() { close(p.gone) })
	err := p.Channel.Close()
	<-p.done
	return err
}
