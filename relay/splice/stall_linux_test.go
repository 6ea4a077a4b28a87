package splice

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What the kernel says of a peer that it has given up is no pause after which reading goes on.
func TestKernelTimeoutIsNoPause(t *testing.T) {
	if err := (&net.OpError{Op: "read", Err: &net.OpError{Err: syscall.ETIMEDOUT}}); isTimeout(err) {
		t.Errorf("%v counts as a deadline", err)
	}
	c, _ := net.Pipe()
	c.SetReadDeadline(past)
	if _, err := c.Read(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("%v does not count as a deadline", err)
	}
}

// A target that the kernel gives up while nobody writes to it: whoever reads is told, and must not lose it.
func TestKernelGivesTargetUp(t *testing.T) {
	for name, parker := range map[string]func(*testing.T) *Parker{
		"parked":  func(t *testing.T) *Parker { return newParker(t) },
		"waiting": func(t *testing.T) *Parker { p := newParker(t); p.linger = time.Hour; return p },
		"alone":   func(*testing.T) *Parker { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			client, target := tcpPair(t), tcpPair(t)
			target.far.(*net.TCPConn).SetReadBuffer(4096)
			control(target.near, func(fd int) {
				if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 100); err != nil {
					t.Error(err)
				}
			})
			_, wait := run(t, t.Context(), client, target, Config{Parker: parker(t)})
			client.far.Write(make([]byte, 128<<10)) // more than the target takes, less than the buffer before it
			if r := wait(); r.End != TargetError || !errors.Is(r.Err, syscall.ETIMEDOUT) || r.Unsent == 0 {
				t.Errorf("result %+v, want a target error, timed out, with bytes unsent", r)
			}
		})
	}
}

// narrow is a connection that takes little before its far end reads.
func narrow(t *testing.T) pair {
	p := tcpPair(t)
	p.far.(*net.TCPConn).SetReadBuffer(4096)
	p.near.(*net.TCPConn).SetWriteBuffer(4096)
	return p
}

// What a write put into the kernel's buffer before it got stuck has not moved when it fails.
func TestFailureIsNoMovement(t *testing.T) {
	const stuck = 50 * time.Millisecond
	for name, send := range map[string]func(s *Session) error{
		"write": func(s *Session) error { return s.up.write(make([]byte, chunk)) },
		"splice": func(s *Session) error {
			read, err := s.up.spliceTCP(s.client.(*net.TCPConn), s.target.(*net.TCPConn))
			if read {
				t.Error("the source is said to have failed")
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, target := tcpPair(t), narrow(t)
			var sending sync.WaitGroup
			sending.Go(func() { io.Copy(client.far, endless{}) })
			await(t, "bytes to send", func() bool {
				waiting := 0
				control(client.near, func(fd int) { waiting, _ = unix.IoctlGetInt(fd, unix.SIOCINQ) })
				return waiting >= 64<<10
			})
			s := New(client.near, target.near, Config{})
			failed := make(chan error, 1)
			sending.Go(func() { failed <- send(s) })
			await(t, "bytes in the target's buffer", func() bool { return unsent(target.near) > 0 })
			time.Sleep(stuck)
			reset(target.far)
			if err := <-failed; err == nil {
				t.Error("it did not fail")
			}
			if quiet := s.sinceMoved(); quiet < stuck || s.Stats().Up == 0 {
				t.Errorf("bytes moved %v ago, %+v", quiet, s.Stats())
			}
			client.near.Close()
			sending.Wait()
		})
	}
}

// A target that took no more, however the directions' reports are ordered.
func TestStallInEveryOrder(t *testing.T) {
	const stuck = time.Hour
	type told struct {
		up       bool
		err      error
		inferred bool
	}
	for name, reports := range map[string][2]told{
		"timeout to the writer":           {{true, syscall.ETIMEDOUT, false}, {false, syscall.ECONNRESET, true}},
		"timeout to the writer, later":    {{false, syscall.ECONNRESET, true}, {true, syscall.ETIMEDOUT, false}},
		"timeout to the reader":           {{false, syscall.ETIMEDOUT, false}, {true, syscall.EPIPE, false}},
		"timeout to the reader, later":    {{true, syscall.EPIPE, false}, {false, syscall.ETIMEDOUT, false}},
		"reset, told to the writer":       {{true, syscall.ECONNRESET, false}, {false, syscall.ECONNRESET, true}},
		"reset, told to the writer later": {{false, syscall.ECONNRESET, true}, {true, syscall.ECONNRESET, false}},
		"reset, told to the reader":       {{false, syscall.ECONNRESET, false}, {true, syscall.EPIPE, false}},
		"reset, told to the reader later": {{true, syscall.EPIPE, false}, {false, syscall.ECONNRESET, false}},
	} {
		t.Run(name, func(t *testing.T) {
			client, target := tcpPair(t), narrow(t)
			target.near.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := target.near.Write(make([]byte, chunk)); !isTimeout(err) {
				t.Fatalf("the target is not stuck: %v", err)
			}
			s := New(client.near, target.near, Config{CloseTimeout: time.Hour})
			result := make(chan Result, 1)
			s.start, s.done, s.stopCut = time.Now().Add(-stuck), func(r Result) { result <- r }, func() bool { return true }
			s.copying.Add(2)
			reset(target.far)
			await(t, "the reset", func() bool { return wasReset(target.near) })
			for _, o := range reports {
				dir := &s.down
				if o.up {
					dir = &s.up
				}
				s.report(outcome{dir: dir, read: !o.up, err: o.err, inferred: o.inferred})
				s.copying.Done()
			}
			r := <-result
			if r.End != TargetError || r.Quiet < stuck || r.Unsent == 0 {
				t.Errorf("result %+v, want a target error, bytes unsent and an hour of quiet", r)
			}
			for _, o := range reports {
				if o.err == syscall.ETIMEDOUT && r.Err != o.err {
					t.Errorf("result %+v, want it timed out", r)
				}
			}
		})
	}
}

// A target that stood still when the client ended, but then took all and answered, has not stalled.
func TestStallThatPasses(t *testing.T) {
	const sent = 512 << 10 // more than the target's machine takes, less than the buffer before it
	client, target := tcpPair(t), tcpPair(t)
	s, wait := run(t, t.Context(), client, target, Config{CloseTimeout: time.Hour})
	client.far.Write(make([]byte, sent))
	await(t, "bytes that wait", func() bool { return unsent(target.near) > 0 && s.Stats().Up == sent })
	s.moved.Store(-int64(time.Hour))
	client.far.(halfCloser).CloseWrite()
	io.ReadAll(target.far)
	await(t, "all to be acknowledged", func() bool { return unsent(target.near) == 0 })
	target.far.Close()
	if r := wait(); r.End != ClientClosed || r.Unsent > 0 || r.Quiet >= time.Hour {
		t.Errorf("result %+v, want client closed, nothing unsent, and no hour of quiet", r)
	}
}

// A splice that failed at its target must not be put down to a client that is well, or has ended in order.
func TestReadFailed(t *testing.T) {
	for name, tt := range map[string]struct {
		far  func(c net.Conn)
		want bool
	}{
		"silent":         {func(net.Conn) {}, false},
		"with bytes":     {func(c net.Conn) { io.WriteString(c, "more") }, false},
		"ended in order": {func(c net.Conn) { c.(halfCloser).CloseWrite() }, false},
		"reset":          {reset, true},
	} {
		t.Run(name, func(t *testing.T) {
			client, target := tcpPair(t), tcpPair(t)
			tt.far(client.far)
			if name == "reset" {
				await(t, "the reset", func() bool { return wasReset(client.near) })
			}
			s := New(client.near, target.near, Config{})
			if got := s.up.readFailed(client.near.(*net.TCPConn), syscall.ETIMEDOUT); got != tt.want {
				t.Errorf("the source failed: %v, want %v", got, tt.want)
			}
		})
	}
}
