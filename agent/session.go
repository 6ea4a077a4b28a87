package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"minato/agent/atline"
	"minato/agent/modem"
	"minato/agent/tty"
)

// A session is an open port, or two, and the modem behind. It outlives the links that are dialled on it.
type session struct {
	cfg   ModemConfig
	guard *modem.PINGuard
	log   *slog.Logger

	port     *tty.Port    // of raw
	hasSpeed bool         // it matters which
	baud     int          // its speed now
	raw      *atline.Line // at, unless the port is multiplexed
	mux      *multiplex   // nil: it is not
	at       *atline.Line
	data     *atline.Line // at, unless there is a port or a channel of its own for PPP
	modem    *modem.Modem
	cid      int
	simReady bool          // the SIM was unlocked and read
	queue    int           // packets that wait for the line; 0: netstack's own
	news     chan struct{} // a token when the modem announced something about SIM, registration or context
	ends     chan error    // why a link that is up ends, by what the modem announced
	begun    chan error    // the modem began anew, by what it announced

	mu sync.Mutex // held when the supervisor, to whom all this belongs, changes at, which the status socket reads
}

// openSession opens and locks the ports. Nothing is sent.
func openSession(cfg ModemConfig, cid int, guard *modem.PINGuard, log *slog.Logger) (*session, error) {
	s := &session{cfg: cfg, cid: cid, guard: guard, log: log, news: make(chan struct{}, 1), ends: make(chan error, 1), begun: make(chan error, 1)}
	if cfg.Port == autoPort {
		found, err := cfg.findUSB(cfg.USB)
		if err != nil && !(cfg.settled && errors.Is(err, tty.ErrIncomplete)) {
			return nil, err
		}
		s.cfg.Port = found.AT
		setDefault(&s.cfg.PPPPort, found.PPP)
		log.Info("modem found", "product", found.Product, "usb", found.USB, "bus", found.Bus, "port", found.AT, "ppp_port", found.PPP)
	}
	port, err := openPort(s.cfg, s.cfg.Port)
	if err != nil {
		return nil, err
	}
	s.port = port
	s.at = s.line(port, s.cfg.Port)
	s.data, s.raw = s.at, s.at
	if s.cfg.PPPPort != "" {
		data, err := openPort(s.cfg, s.cfg.PPPPort)
		if err != nil {
			s.at.Close()
			return nil, err
		}
		s.data = s.line(data, s.cfg.PPPPort)
	}
	s.baud, s.hasSpeed = s.cfg.Baud, port.HasSpeed() && s.cfg.PPPPort == ""
	if port.IsUART() {
		s.queue = lineQueue(s.cfg.Baud)
	}
	s.makeModem()
	return s, nil
}

// autoPort is modem.port where the modem is looked for.
const autoPort = "auto"

func openPort(cfg ModemConfig, path string) (*tty.Port, error) {
	return tty.Open(tty.Config{Path: path, Baud: cfg.Baud, RTSCTS: cfg.RTSCTS})
}

func (s *session) line(port io.ReadWriteCloser, name string) *atline.Line {
	return atline.New(port, atline.Config{Logger: s.log.With("port", name), OnURC: s.urc})
}

func (s *session) makeModem() {
	s.modem = modem.New(s.at, modem.Config{Logger: s.log, Guard: s.guard, Data: s.data})
}

// lineQueue is how many packets may wait for a slow line: two seconds' worth. Behind more of them, LCP echoes would come too late.
func lineQueue(baud int) int {
	const bitsOfPacket = 1500 * 10
	return min(max(2*baud/bitsOfPacket, 8), 256)
}

// multiplex makes two ports of the only one, where the modem can. One that agrees and stays with AT is used as it is.
func (s *session) multiplex(ctx context.Context, probe time.Duration) error {
	if s.cfg.CMUX == "off" || s.hasOwnPPPPort() {
		return nil
	}
	x, err := startMultiplex(ctx, s.raw, s.modem.Multiplexes(), s.log)
	if err != nil {
		if ctx.Err() != nil || s.lost() {
			return err
		}
		if ierr := s.initialise(ctx, probe); ierr != nil || s.mux != nil {
			return ierr
		}
		if s.cfg.CMUX == "on" {
			return noMultiplex(fmt.Errorf("the modem answers AT and does not multiplex: %v", err), ClassReset) // it may be stuck
		}
		s.log.Warn("the modem does not multiplex its port, though it does not refuse to: nothing can be asked while the link is up", "error", err)
		return nil
	}
	if x == nil {
		if s.cfg.CMUX == "on" {
			return noMultiplex(errNoMultiplex, ClassPerson)
		}
		s.log.Info("the modem has one port and no multiplexer: nothing can be asked while the link is up")
		return nil
	}
	s.useMultiplex(x)
	return nil
}

func (s *session) useMultiplex(x *multiplex) {
	s.mux = x
	s.useLines(s.line(x.ports[0], "channel 1"), s.line(x.ports[1], "channel 2"))
	s.log.Info("the port is multiplexed")
}

// dropMultiplex goes back to the port as it is.
func (s *session) dropMultiplex() {
	s.mux.end()
	s.at.Close()
	s.data.Close()
	s.mux = nil
	s.useLines(s.raw, s.raw)
}

func (s *session) useLines(at, data *atline.Line) {
	s.mu.Lock()
	s.at, s.data = at, data
	s.mu.Unlock()
	s.makeModem()
}

// commands is the line for commands, for others than the supervisor.
func (s *session) commands() *atline.Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

var errNoMultiplex = errors.New("the modem refuses every AT+CMUX")

func noMultiplex(err error, c Class) error {
	return &Failure{Code: NoModem, State: StateIdentify, Class: c, Err: err, Hint: "set modem.cmux to auto or off"}
}

// poke makes the next wait return soon.
func (s *session) poke() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// close leaves the modem in command mode, and the ports free.
func (s *session) close() {
	if s.mux != nil { // first: it takes its channels along, where each would say good-bye by itself
		if err := s.mux.end(); err != nil && s.raw.Err() == nil {
			s.log.Warn("the modem does not confirm that it left the multiplexer", "error", err)
		}
		defer s.raw.Close()
	}
	s.at.Close()
	if s.data != s.at {
		s.data.Close()
	}
}

// lost tells that a port is gone.
func (s *session) lost() bool { return s.at.Err() != nil || s.data.Err() != nil || s.raw.Err() != nil }

// hasOwnPPPPort tells whether commands are possible while a link is up.
func (s *session) hasOwnPPPPort() bool { return s.data != s.at }

var errPortGone = errors.New("the modem's port has gone: unplugged, switched off or restarted")

// wait waits for news from the modem, at most d.
func (s *session) wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s.news:
	case <-t.C:
	case <-s.at.Done():
		return errPortGone
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (a *Agent) setSession(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.session = s
}

func (a *Agent) currentSession() *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session
}

// closeSession closes the ports, if they are open. Only the supervisor calls it.
func (a *Agent) closeSession() {
	s := a.currentSession()
	if s == nil {
		return
	}
	a.setSession(nil)
	s.close()
}
