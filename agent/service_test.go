package agent

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A link that ends before its services are served keeps no port.
func TestNoServiceOutlivesTheLink(t *testing.T) {
	a, err := New(config("/dev/no-such-modem", "127.0.0.1:9"))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a.keepServing(&link{ctx: ctx}, a.services[0], listener, nil)
	if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the port was still open: %v", err)
	}
}

// A program of the device that does not run is told of, once; its clients are reset, as at a closed port. It is up again with the first
// connection that it takes.
func TestDeadLocalPort(t *testing.T) {
	for _, proxy := range []bool{false, true} {
		f := newFakeModem(t, nil)
		local := freePort(t)
		cfg := config(f.path, local)
		cfg.Services[0].ProxyProtocol = proxy
		r := start(t, cfg)
		<-r.Ready()
		refused := func() {
			t.Helper()
			c, err := f.dial(7)
			if err == nil {
				_, err = c.Read(make([]byte, 1))
				c.Close()
			}
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.ECONNREFUSED) { // the reset may come before the dial is over
				t.Errorf("a client: %v, want a reset", err)
			}
		}
		down := func() {
			t.Helper()
			if s := r.Status().Services[0]; s.Up || !strings.Contains(s.Error, "refused") {
				t.Errorf("%+v", s)
			}
			if w := r.log.warnings(); len(w) != 1 || !strings.Contains(w[0], "code=A32") || !strings.Contains(w[0], "service=echo") {
				t.Errorf("warnings %q", w)
			}
		}
		refused()
		down()
		refused()
		down()

		f.drop()
		<-r.pauses
		r.log.forget() // the lost link's
		r.resume <- time.Time{}
		awaitState(t, r, StateOnline, 2)
		if s := r.Status().Services[0]; s.Up {
			t.Errorf("up by a new link alone: %+v", s)
		}
		refused()
		if w := r.log.warnings(); len(w) != 0 {
			t.Errorf("told again: %q", w)
		}

		l, err := net.Listen("tcp", local)
		if err != nil {
			t.Fatal(err)
		}
		c, err := f.dial(7)
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		r.says(t, "msg=service-up")
		if s := r.Status().Services[0]; !s.Up || s.Error != "" {
			t.Errorf("%+v", s)
		}
		server.Close()
		c.Close()
		l.Close()
		refused()
		down()
		r.stop()
	}
}
