package agent

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"minato/agent/atline"
	"minato/agent/modem"
	"minato/agent/tty"
)

// A session is an open port, or two, and the modem behind. It outlives the links that are dialled on it.
type session struct {
	at    *atline.Line
	data  *atline.Line // at, unless there is a port of its own for PPP
	modem *modem.Modem
	cid   int
	queue int           // packets that wait for the line; 0: netstack's own
	news  chan struct{} // a token when the modem announced something about SIM, registration or context
	ends  chan error    // why a link that is up ends, by what the modem announced
}

// openSession opens and locks the ports. Nothing is sent.
func openSession(cfg ModemConfig, cid int, guard *modem.PINGuard, log *slog.Logger) (*session, error) {
	s := &session{cid: cid, news: make(chan struct{}, 1), ends: make(chan error, 1)}
	at, err := openLine(cfg, cfg.Port, log, s.urc)
	if err != nil {
		return nil, err
	}
	s.at, s.data = at, at
	if cfg.PPPPort != "" {
		if s.data, err = openLine(cfg, cfg.PPPPort, log, s.urc); err != nil {
			at.Close()
			return nil, err
		}
	}
	s.modem = modem.New(s.at, modem.Config{Logger: log, Guard: guard, Data: s.data})
	return s, nil
}

func openLine(cfg ModemConfig, path string, log *slog.Logger, urc func(atline.URC)) (*atline.Line, error) {
	port, err := tty.Open(tty.Config{Path: path, Baud: cfg.Baud, RTSCTS: cfg.RTSCTS})
	if err != nil {
		return nil, err
	}
	return atline.New(port, atline.Config{Logger: log.With("port", path), OnURC: urc}), nil
}

// poke makes the next wait return soon.
func (s *session) poke() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *session) close() {
	s.at.Close()
	if s.data != s.at {
		s.data.Close()
	}
}

// lost tells that a port is gone.
func (s *session) lost() bool { return s.at.Err() != nil || s.data.Err() != nil }

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
