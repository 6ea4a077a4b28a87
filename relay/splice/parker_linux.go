package splice

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// linger is long enough that a conversation does not park between its messages.
const linger = time.Second

// Parker watches silent connections, so that they need no goroutine: two stacks of several KiB a session, which is more than everything else
// that a silent session holds. It is an epoll(7) instance beside that of Go's runtime. A direction parks once nothing has come for a while;
// the next bytes, or an end, start a goroutine for it again.
type Parker struct {
	epoll  *os.File
	raw    syscall.RawConn
	linger time.Duration // how long a direction waits with its goroutine

	mu     sync.Mutex
	parked map[int32]*spot // by descriptor; guarded by mu
}

// NewParker makes a parker. It watches while its Run runs, which must outlast the sessions.
func NewParker() (*Parker, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making an epoll instance: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // which lets Go's runtime wait for it
		unix.Close(fd)
		return nil, fmt.Errorf("making an epoll instance: %w", err)
	}
	p := &Parker{epoll: os.NewFile(uintptr(fd), "epoll"), linger: linger, parked: make(map[int32]*spot)}
	if p.raw, err = p.epoll.SyscallConn(); err != nil {
		p.epoll.Close()
		return nil, fmt.Errorf("making an epoll instance: %w", err)
	}
	return p, nil
}

// Run wakes parked directions until ctx ends.
func (p *Parker) Run(ctx context.Context) error {
	defer p.epoll.Close()
	stop := context.AfterFunc(ctx, func() { p.epoll.SetReadDeadline(past) })
	defer stop()
	events := make([]unix.EpollEvent, 128)
	for {
		var n int
		var failed error
		err := p.raw.Read(func(fd uintptr) bool {
			n, failed = unix.EpollWait(int(fd), events, 0)
			return n > 0 || failed != nil && failed != unix.EINTR
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("watching silent connections: %w", err)
		case failed != nil:
			return fmt.Errorf("watching silent connections: %w", failed)
		}
		for _, e := range events[:n] {
			p.wake(e.Fd)
		}
	}
}

// wake lets the direction that is parked at a descriptor go on. A descriptor may be another connection's by now, whose direction then finds
// nothing and parks again.
func (p *Parker) wake(fd int32) {
	p.mu.Lock()
	s := p.parked[fd]
	delete(p.parked, fd)
	p.mu.Unlock()
	if s != nil {
		s.direction.session.cfg.Go(s.direction.copy) // ends, or parks again
	}
}

// spot is a direction's place with a parker. A nil spot is of a direction that cannot park.
type spot struct {
	parker    *Parker
	direction *direction
	raw       syscall.RawConn // of the socket that is read from
	known     bool            // the parker's epoll instance knows the socket
	fd        int32
}

// lingers is how long the direction waits with its goroutine; 0: for ever, since it cannot park.
func (s *spot) lingers() time.Duration {
	if s == nil {
		return 0
	}
	return s.parker.linger
}

// spot makes a place for a direction whose source is a kernel's TCP connection, or TLS over one.
func (p *Parker) spot(d *direction) *spot {
	if p == nil {
		return nil
	}
	c := d.src
	for {
		over, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = over.NetConn()
	}
	t, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return nil
	}
	return &spot{parker: p, direction: d, raw: raw}
}

// park leaves the direction to the parker: its goroutine must end at once, without touching anything of it. False: it cannot be parked, and its
// next read tells why. What has come already wakes it.
func (s *spot) park() bool {
	parked := false
	s.raw.Control(func(fd uintptr) { // its error: the connection is closed
		op := unix.EPOLL_CTL_MOD
		if !s.known {
			op, s.known = unix.EPOLL_CTL_ADD, true
		}
		event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(fd)}
		s.parker.mu.Lock()
		defer s.parker.mu.Unlock()
		s.parker.raw.Control(func(epoll uintptr) { // its error: Run has ended
			if parked = unix.EpollCtl(int(epoll), op, int(fd), &event) == nil; parked {
				s.fd = event.Fd
				s.parker.parked[s.fd] = s
			}
		})
	})
	if !parked {
		return false
	}
	// A session that ended meanwhile may have looked for parked directions before.
	return !s.direction.session.stopping.Load() || !s.leave()
}

// leave takes the direction back. False: it was not parked, or is being woken.
func (s *spot) leave() bool {
	if s == nil {
		return false
	}
	s.parker.mu.Lock()
	defer s.parker.mu.Unlock()
	if s.parker.parked[s.fd] != s {
		return false
	}
	delete(s.parker.parked, s.fd)
	return true
}
