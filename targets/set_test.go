package targets

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// greetings is what each service says to a few first bytes.
var greetings = map[string]struct{ send, want string }{
	"http":   {"GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK"},
	"https":  {"GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK"},
	"modbus": {"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01", "\x00\x01\x00\x00\x00\x05\x01\x03\x02\x02\x58"},
	"vnc":    {"RFB 003.008\n", "RFB 003.008\n\x01\x02"},
	"ssh":    {"", "SSH-2.0-Minato"},
}

func greet(t *testing.T, name string, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", l.Addr().String(), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(60 * time.Second))
	over := c
	if name == "https" {
		over = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	}
	io.WriteString(over, greetings[name].send)
	want := greetings[name].want
	got := make([]byte, len(want))
	if _, err := io.ReadFull(over, got); err != nil || string(got) != want {
		t.Errorf("%s answered %q, %v; want %q", name, got, err, want)
	}
	return c
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestServices serves each service on two listeners at once, and again after they ended, as an agent does when its link comes back.
func TestServices(t *testing.T) {
	s, err := New(Config{HTTPS: true, VNCPassword: "sesame"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	<-s.Ready()
	for name := range greetings {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				ctx, cancel := context.WithCancel(ctx)
				first, second := listen(t), listen(t)
				done := make(chan error, 2)
				for _, l := range []net.Listener{first, second} {
					go func() { done <- s.Service(name).Serve(ctx, l) }()
				}
				open := []net.Conn{greet(t, name, first), greet(t, name, second)}
				cancel()
				for range 2 {
					if err := <-done; err != nil {
						t.Errorf("Serve = %v", err)
					}
				}
				for _, c := range open {
					r := bufio.NewReader(c)
					if _, err := io.Copy(io.Discard, r); err != nil && strings.Contains(err.Error(), "timeout") {
						t.Error("a connection outlived Serve")
					}
				}
				first.(*net.TCPListener).SetDeadline(time.Now())              // an error shows in Accept
				if _, err := first.Accept(); !errors.Is(err, net.ErrClosed) { // its port may be somebody else's already
					t.Errorf("the listener outlived Serve: %v", err)
				}
			}
		})
	}
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestServiceNames(t *testing.T) {
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"https", "telnet", ""} {
		if s.Service(name) != nil {
			t.Errorf("Service(%q) is not nil", name)
		}
	}
}

func TestConfigRefusals(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"long VNC password", Config{VNCPassword: "123456789"}, "service vnc: the VNC password has 9 bytes"},
		{"broken SSH key", Config{SSH: SSHConfig{AuthorizedKeys: []string{"x"}}}, "service ssh: parsing line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
		})
	}
}
