package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// socksDoor is a SOCKS5 server that answers one connection with a reply code, and reports the name that was asked for.
func socksDoor(t *testing.T, reply byte) (addr string, asked <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	names, done := make(chan string, 1), make(chan struct{})
	go func() { // ends with its one connection
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		head := make([]byte, 3)
		io.ReadFull(conn, head) // version, one method: none
		conn.Write([]byte{5, 0})
		head = make([]byte, 5)
		io.ReadFull(conn, head) // version, CONNECT, reserved, name, its length
		name := make([]byte, int(head[4])+2)
		io.ReadFull(conn, name)
		names <- string(name[:head[4]])
		conn.Write([]byte{5, reply, 0, 1, 0, 0, 0, 0, 0, 0})
		if reply == 0 {
			io.WriteString(conn, "banner")
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String(), names
}

func TestSOCKSNetwork(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply byte
		want  error
	}{
		{"reached", 0, nil},
		{"offline", 4, ErrOffline},
		{"refused", 5, ErrRefused},
		{"timeout", 6, ErrTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, asked := socksDoor(t, tt.reply)
			conn, err := SOCKSNetwork{addr}.DialSIM(t.Context(), simA, 80)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if got := <-asked; got != simA+".sim" {
				t.Errorf("asked for %q", got)
			}
			if err != nil {
				return
			}
			defer conn.Close()
			if _, ok := conn.(*net.TCPConn); !ok {
				t.Errorf("a %T cannot be spliced", conn)
			}
			if b, err := io.ReadAll(conn); err != nil || string(b) != "banner" {
				t.Errorf("read %q, %v", b, err)
			}
		})
	}
	t.Run("general failure", func(t *testing.T) {
		addr, _ := socksDoor(t, 1)
		_, err := SOCKSNetwork{addr}.DialSIM(t.Context(), simA, 80)
		for _, known := range []error{nil, ErrOffline, ErrRefused, ErrTimeout} {
			if errors.Is(err, known) {
				t.Errorf("error %v is %v", err, known)
			}
		}
	})
	t.Run("deadline", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0") // never accepts
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := (SOCKSNetwork{l.Addr().String()}).DialSIM(ctx, simA, 80); err == nil {
			t.Error("no error")
		}
	})
}

// movingDirectory gives another address at each call.
type movingDirectory struct {
	answers [][]SIM
}

func (d *movingDirectory) SIMs(context.Context) ([]SIM, error) {
	a := d.answers[0]
	if len(d.answers) > 1 {
		d.answers = d.answers[1:]
	}
	return a, nil
}

func TestRouteNetwork(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	open := uint16(l.Addr().(*net.TCPAddr).Port)
	const closed = 1 // where nothing listens
	here, elsewhere := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	online := func(a netip.Addr) []SIM { return []SIM{{ID: simA, Online: true, Addr: a}} }
	for _, tt := range []struct {
		name    string
		answers [][]SIM
		port    uint16
		want    error
	}{
		{"reached", [][]SIM{online(here)}, open, nil},
		{"refused", [][]SIM{online(here)}, closed, ErrRefused},
		{"offline", [][]SIM{{{ID: simA, Addr: here}}}, open, ErrOffline},
		{"unknown", [][]SIM{{{ID: simB, Online: true, Addr: here}}}, open, ErrUnknownSIM},
		{"another device has the address", [][]SIM{online(here), online(elsewhere)}, open, ErrOffline},
		{"gone while dialling", [][]SIM{online(here), nil}, open, ErrUnknownSIM},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &RouteNetwork{Directory: &movingDirectory{tt.answers}}
			conn, err := n.DialSIM(t.Context(), simA, tt.port)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if err == nil {
				conn.Close()
			}
		})
	}
}

// What the kernel says of the relay's own way is not the device's fault, unless the directory says that the session has ended.
func TestRouteNetworkHasNoWay(t *testing.T) {
	here, elsewhere := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	online := []SIM{{ID: simA, Online: true, Addr: here}}
	for _, tt := range []struct {
		name    string
		kernel  syscall.Errno
		answers [][]SIM
		want    error
	}{
		{"no route", syscall.ENETUNREACH, [][]SIM{online}, ErrNetwork},
		{"the next hop is silent", syscall.EHOSTUNREACH, [][]SIM{online}, ErrNetwork},
		{"a route that prohibits", syscall.EACCES, [][]SIM{online}, ErrNetwork},
		{"the session has ended", syscall.EHOSTUNREACH, [][]SIM{online, {{ID: simA}}}, ErrOffline},
		{"the session has moved", syscall.ENETUNREACH, [][]SIM{online, {{ID: simA, Online: true, Addr: elsewhere}}}, ErrOffline},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &RouteNetwork{Directory: &movingDirectory{tt.answers}, Dialer: net.Dialer{
				Control: func(string, string, syscall.RawConn) error { return tt.kernel }}}
			_, err := n.DialSIM(t.Context(), simA, 80)
			for _, known := range []error{ErrNetwork, ErrOffline, ErrRefused, ErrTimeout} {
				if errors.Is(err, known) != (known == tt.want) {
					t.Errorf("error %v, want only %v", err, tt.want)
				}
			}
			if !strings.Contains(err.Error(), tt.kernel.Error()) {
				t.Errorf("error %v keeps nothing of %v", err, tt.kernel)
			}
		})
	}
}
