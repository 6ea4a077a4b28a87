package check

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what must happen, on however slow a machine.
const patience = 30 * time.Second

// serve gives every connection to fn on a goroutine of its own, and waits for them at the end of the test.
func serve(t *testing.T, fn func(conn *net.TCPConn)) Dial {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	served := make(chan struct{}, 100)
	go func() {
		defer close(done)
		n := 0
		for {
			conn, err := l.Accept()
			if err != nil {
				break
			}
			n++
			conn.SetDeadline(time.Now().Add(patience))
			go func() {
				fn(conn.(*net.TCPConn))
				conn.Close()
				served <- struct{}{}
			}()
		}
		for range n {
			<-served
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return dialAddr(l.Addr().String())
}

func dialAddr(addr string) Dial {
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
}

// says writes one text to every client and waits for its end.
func says(t *testing.T, text string) Dial {
	return serve(t, func(conn *net.TCPConn) {
		conn.Write([]byte(text))
		buf := make([]byte, 1024)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	})
}

// silent takes all that the client says and says nothing; it is for a synctest bubble, in which sockets would not wait.
func silent(context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	go io.Copy(io.Discard, server) // until the client closes
	return halfPipe{client}, nil
}

// halfPipe is a pipe whose other end does not care about the end of what is said.
type halfPipe struct{ net.Conn }

func (halfPipe) CloseWrite() error { return nil }

// hangsUp closes in order without a byte, as the relay refuses.
func hangsUp(t *testing.T) Dial {
	return serve(t, func(conn *net.TCPConn) {
		conn.CloseWrite()
		buf := make([]byte, 1024)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	})
}

// fails runs a check that must fail, and compares step and cause.
func fails(t *testing.T, name string, dial Dial, o Options, step, cause, hint string) {
	t.Helper()
	res, err := Funcs[name](context.Background(), dial, o)
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("error %v, want an *Error", err)
		return
	}
	if e.Step != step || !strings.Contains(e.Err.Error(), cause) || !strings.Contains(e.Hint, hint) || (e.Hint == "") != (hint == "") {
		t.Errorf("got  step %q, cause %q, hint %q\nwant step %q, cause %q, hint %q", e.Step, e.Err, e.Hint, step, cause, hint)
	}
	if e.Check != name || res.Check != name || res.Summary != err.Error() || len(res.Log) == 0 {
		t.Errorf("the result does not tell the failure: %+v", res)
	}
}

func passes(t *testing.T, name string, dial Dial, o Options, summary string) Result {
	t.Helper()
	res, err := Funcs[name](context.Background(), dial, o)
	if err != nil {
		t.Fatalf("%v; log %+v", err, res.Log)
	}
	if !strings.Contains(res.Summary, summary) {
		t.Errorf("summary %q, want one with %q", res.Summary, summary)
	}
	if len(res.Steps) == 0 || len(res.Log) == 0 || res.Duration <= 0 {
		t.Errorf("no steps, log or time: %+v", res)
	}
	return res
}

// Every check ends with its timeout when the server says nothing, and says so; and every check tells a server that hangs up.
func TestSilentAndHangingUp(t *testing.T) {
	steps := map[string]string{
		"http": "reading the status line and the header", "modbus": "reading 1 holding registers from 0", "vnc": "connecting and taking the screen",
		"ssh": "connecting and logging in", "rdp": "reading the connection confirm", "bulk": "reading the answer to the upload",
		"halfclose": "reading the answer to its end",
	}
	for name := range Funcs {
		t.Run(name, func(t *testing.T) {
			o := Options{Timeout: 5 * time.Second, Bulk: BulkOptions{Size: 10}}
			synctest.Test(t, func(t *testing.T) { fails(t, name, silent, o, steps[name], "no answer within 5s", "speak first") })
			o.Timeout = 0
			if name == "halfclose" {
				fails(t, name, hangsUp(t), o, "judging the answer", "no answer came", "closes both directions")
				return
			}
			fails(t, name, hangsUp(t), o, steps[name], "EOF", "audit log")
		})
	}
}

func TestRefused(t *testing.T) {
	refused := func(context.Context) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	for _, name := range []string{"http", "modbus", "rdp", "bulk", "halfclose"} {
		fails(t, name, refused, Options{}, stepDial, "refused", "nothing listens there")
	}
}
