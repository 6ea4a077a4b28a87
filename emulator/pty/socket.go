package pty

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
)

// Socket is one client of a socket port. It is to the modem what a Port is, without a line speed.
type Socket struct{ net.Conn }

// TryWrite writes what goes at once and never blocks; a connection that is no socket of the kernel's takes nothing that way.
func (s Socket) TryWrite(b []byte) (int, error) {
	if c, ok := s.Conn.(syscall.Conn); ok {
		return tryWrite(c, b)
	}
	return 0, nil
}

// ListenUnix listens at path; a name that begins with @ is in the abstract name space. A socket file that a dead process left is
// replaced; one that somebody listens on is an error.
func ListenUnix(path string) (*net.UnixListener, error) {
	addr := &net.UnixAddr{Name: path, Net: "unix"}
	l, err := net.ListenUnix("unix", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		if c, derr := net.DialUnix("unix", nil, addr); derr == nil {
			c.Close()
			return nil, fmt.Errorf("listening on %q: %w", path, err)
		}
		if rerr := os.Remove(path); rerr != nil {
			return nil, fmt.Errorf("listening on %q: %w", path, err)
		}
		l, err = net.ListenUnix("unix", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", path, err)
	}
	return l, nil
}

// Serve gives each client of the listener to handle, which runs on a goroutine of its own, until ctx ends; then it closes the
// listener and the clients, and waits for the handlers.
func Serve(ctx context.Context, l net.Listener, handle func(ctx context.Context, s Socket)) error {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				c.Close()
			}
			return nil
		}
		if err != nil {
			l.Close()
			return fmt.Errorf("accepting on %q: %w", l.Addr(), err)
		}
		clients.Go(func() {
			defer c.Close()
			defer context.AfterFunc(ctx, func() { c.Close() })()
			handle(ctx, Socket{c})
		})
	}
}

// tryWrite is one write(2) on a descriptor that the runtime keeps non-blocking.
func tryWrite(f syscall.Conn, b []byte) (int, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	n := 0
	var inner error
	err = raw.Write(func(fd uintptr) bool {
		n, inner = syscall.Write(int(fd), b)
		return true
	})
	if err != nil {
		return 0, err
	}
	if errors.Is(inner, syscall.EAGAIN) || errors.Is(inner, syscall.EINTR) {
		return 0, nil
	}
	return max(n, 0), inner
}

// tryDiscard throws away what has come, and never blocks. It reads at most most bytes, so that a user who writes without end does not hold it.
func tryDiscard(f syscall.Conn, most int) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	var buf [4096]byte
	for got := 0; got < most; {
		n := 0
		err = raw.Read(func(fd uintptr) bool {
			n, _ = syscall.Read(int(fd), buf[:])
			return true
		})
		if err != nil || n <= 0 {
			return
		}
		got += n
	}
}
