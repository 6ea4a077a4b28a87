package fault

import (
	"bytes"
	"sync"
	"time"

	"minato/emulator/dce"
)

// LostCommand is a modem that must be woken up.
var LostCommand = Fault{
	Name: "lost-command",
	Doc:  "The first command line on a port is lost, echo and all, as by a modem whose UART was asleep.",
	Params: []Param{
		number("count", "how many lines are lost in a row", 1, 1, 1000),
		duration("idle", "after this silence it happens again; 0s: it does not", 0, 0, time.Hour),
	},
	Inject: func(t Target, p Params) (func(), error) {
		s := sleeper{count: p.num("count"), idle: p.dur("idle"), ports: map[dce.PortRef]*nap{}}
		return t.Hook(dce.Hook{Heard: s.heard}), nil
	},
}

// sleeper loses command lines.
type sleeper struct {
	count int
	idle  time.Duration

	mu    sync.Mutex
	ports map[dce.PortRef]*nap // guarded by mu
}

// nap is one port's state.
type nap struct {
	left  int       // lines still to lose
	heard time.Time // when something came last
}

func (s *sleeper) heard(port dce.PortRef, b []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, now := s.ports[port], time.Now()
	switch {
	case n == nil:
		n = &nap{left: s.count}
		s.ports[port] = n
	case s.idle > 0 && now.Sub(n.heard) >= s.idle:
		n.left = s.count
	}
	n.heard = now
	for n.left > 0 {
		end := bytes.IndexByte(b, '\r')
		if end < 0 {
			return nil
		}
		b = b[end+1:]
		n.left--
	}
	return b
}
