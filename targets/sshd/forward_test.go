package sshd

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// echoService is a listed service: it echoes until the client half-closes, then says goodbye.
func echoService(t *testing.T) (dial func(context.Context, uint16) (net.Conn, error), port uint16) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends when the listener is closed; waited for in Cleanup
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.Copy(c, c)
			io.WriteString(c, "bye")
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	port = uint16(l.Addr().(*net.TCPAddr).Port)
	return func(ctx context.Context, p uint16) (net.Conn, error) {
		switch p {
		case port:
			return net.Dial("tcp", l.Addr().String())
		case 1:
			return nil, errors.New("connection refused")
		}
		return nil, os.ErrPermission
	}, port
}

func TestForwarding(t *testing.T) {
	dialService, port := echoService(t)
	c := login(t, Config{Dial: dialService})
	for _, host := range []string{"localhost", "127.0.0.1"} {
		conn, err := c.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "through")
		conn.(interface{ CloseWrite() error }).CloseWrite()
		if got, err := io.ReadAll(conn); err != nil || string(got) != "throughbye" {
			t.Errorf("forwarded = %q, %v; want the answer after the half-close too", got, err)
		}
		conn.Close()
	}
}

func TestForwardingRefusals(t *testing.T) {
	dialService, _ := echoService(t)
	tests := []struct {
		name, to string
		dial     func(context.Context, uint16) (net.Conn, error)
		want     string
	}{
		{"off", "127.0.0.1:5900", nil, "forwarding is off"},
		{"other host", "192.0.2.1:80", dialService, "only this device's own services"},
		{"unlisted port", "127.0.0.1:9", dialService, "port 9 is not one of this device's listed services"},
		{"service down", "127.0.0.1:1", dialService, "connection refused"},
		{"port 0", "127.0.0.1:0", dialService, "no port 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := login(t, Config{Dial: tt.dial})
			if _, err := c.Dial("tcp", tt.to); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestForwardingToASilentTarget: closing the channel closes the target, though it never speaks.
func TestForwardingToASilentTarget(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	c := login(t, Config{Dial: func(context.Context, uint16) (net.Conn, error) { return near, nil }})
	conn, err := c.Dial("tcp", "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	far.SetDeadline(time.Now().Add(60 * time.Second))
	if _, err := far.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read = %v, want the end", err)
	}
}
