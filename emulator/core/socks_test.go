package core

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/proxy"
)

// startSOCKS opens the door until the test ends.
func startSOCKS(t testing.TB, c *Core) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.ServeSOCKS(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ServeSOCKS: %v", err)
		}
	})
	return l.Addr().String()
}

// dialSOCKS gives a raw connection to the door.
func dialSOCKS(t testing.TB, door string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", door)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

func connectRequest(host string, port uint16) string {
	return "\x05\x01\x00\x03" + string(rune(len(host))) + host + string([]byte{byte(port >> 8), byte(port)})
}

const greeting = "\x05\x01\x00"

// connect goes through the door to a port of a SIM.
func connect(t testing.TB, door, host string, port uint16) *net.TCPConn {
	t.Helper()
	conn := dialSOCKS(t, door)
	io.WriteString(conn, greeting+connectRequest(host, port))
	answer := make([]byte, 12)
	if _, err := io.ReadFull(conn, answer); err != nil || answer[3] != 0 {
		t.Fatalf("the door answers % x, %v", answer, err)
	}
	return conn
}

func TestSOCKSReplies(t *testing.T) {
	subs := openSubscribers(3)
	subs[0].SIMID, subs[1].SIMID, subs[2].SIMID = "up", "silent", "off"
	c := startCore(t, Config{Subscribers: subs, DialTimeout: patience})
	echo(t, startDevice(t, activate(t, c, subs[0])), ":7")
	hasty := startCore(t, Config{Subscribers: subs, DialTimeout: 100 * time.Millisecond}) // for the device that never answers only: the machine may be busy
	activate(t, hasty, subs[1]).Attach(func([][]byte) error { return nil })
	door, hastyDoor := startSOCKS(t, c), startSOCKS(t, hasty)

	failed := func(rep byte) string {
		return "\x05\x00" + "\x05" + string([]byte{rep}) + "\x00\x01\x00\x00\x00\x00\x00\x00"
	}
	tests := []struct{ name, send, want string }{
		{"refused", greeting + connectRequest("up.sim", 8), failed(5)},
		{"silent", greeting + connectRequest("silent.sim", 7), failed(6)},
		{"offline", greeting + connectRequest("off.sim", 7), failed(4)},
		{"unknown", greeting + connectRequest("who.sim", 7), failed(4)},
		{"not a SIM's name", greeting + connectRequest("example.com", 80), failed(2)},
		{"an address as a name", greeting + connectRequest("10.128.0.1", 7), failed(2)},
		{"an IPv4 address", greeting + "\x05\x01\x00\x01\x0a\x80\x00\x01\x00\x07", failed(2)},
		{"an IPv6 address", greeting + "\x05\x01\x00\x04" + strings.Repeat("\x00", 16) + "\x00\x07", failed(2)},
		{"BIND", greeting + "\x05\x02\x00\x03\x06up.sim\x00\x07", failed(7)},
		{"UDP ASSOCIATE", greeting + "\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00", failed(7)},
		{"unknown address type", greeting + "\x05\x01\x00\x02", failed(8)},
		{"empty name", greeting + "\x05\x01\x00\x03\x00\x00\x07", failed(1)},
		{"reserved octet", greeting + "\x05\x01\x01\x03\x06up.sim\x00\x07", failed(1)},
		{"version of the request", greeting + "\x04\x01\x00\x03\x06up.sim\x00\x07", failed(1)},
		{"refused with data behind", greeting + connectRequest("up.sim", 8) + strings.Repeat("x", 1000), failed(5)},
		{"methods", "\x05\x02\x01\x02", "\x05\xff"},
		{"no methods", "\x05\x00", "\x05\xff"},
		{"SOCKS4", "\x04\x01\x00\x07\x7f\x00\x00\x01\x00", ""},
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", ""},
		{"nothing", "", ""},
		{"half a greeting", "\x05\x09\x01", ""},
		{"half a request", greeting + "\x05\x01\x00\x03\x40up", "\x05\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			door := door
			if tt.name == "silent" {
				door = hastyDoor
			}
			conn := dialSOCKS(t, door)
			if _, err := io.WriteString(conn, tt.send); err != nil {
				t.Fatal(err)
			}
			conn.CloseWrite()
			got, err := io.ReadAll(conn)
			if err != nil && !errors.Is(err, syscall.ECONNRESET) { // bytes that nobody read make it a reset
				t.Error(err)
			}
			if string(got) != tt.want {
				t.Errorf("answer\n%s, want\n%s", hex.Dump(got), hex.Dump([]byte(tt.want)))
			}
		})
	}
}

// TestSOCKSTransfer uses somebody else's client, both directions, a half-close, and data that comes with the request.
func TestSOCKSTransfer(t *testing.T) {
	subs := openSubscribers(1)
	c := startCore(t, Config{Subscribers: subs, DialTimeout: patience})
	echo(t, startDevice(t, activate(t, c, subs[0])), ":7")
	door := startSOCKS(t, c)

	dialer, err := proxy.SOCKS5("tcp", door, nil, proxy.Direct)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			conn, err := dialer.Dial("tcp", subs[0].SIMID+".sim:7")
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			want := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
			sent := make(chan error, 1)
			go func() {
				_, err := conn.Write(want)
				sent <- errors.Join(err, conn.(interface{ CloseWrite() error }).CloseWrite())
			}()
			got, err := io.ReadAll(conn)
			if err := errors.Join(err, <-sent); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes came back, %v", len(got), err)
			}
		})
	}
	wg.Wait()

	conn := dialSOCKS(t, door)
	io.WriteString(conn, greeting+connectRequest(subs[0].SIMID+".sim", 7)+"early")
	conn.CloseWrite()
	got, err := io.ReadAll(conn)
	if err != nil || len(got) != 12+5 || string(got[12:]) != "early" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestSOCKSCut wants a client to see a broken transfer as broken: when the session ends, when the device resets, when the door closes.
func TestSOCKSCut(t *testing.T) {
	subs := openSubscribers(1)
	c := startCore(t, Config{Subscribers: subs, DialTimeout: patience})
	for _, how := range []string{"session", "device"} {
		t.Run(how, func(t *testing.T) {
			s := activate(t, c, subs[0])
			l, err := startDevice(t, s).Listen("tcp", ":7")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			client := connect(t, startSOCKS(t, c), subs[0].SIMID+".sim", 7)
			device, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer device.Close()
			if _, err := device.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if how == "session" {
				s.Close("gone")
			} else {
				device.(interface{ Abort() }).Abort()
			}
			if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the client sees %v, want a reset", err)
			}
		})
	}
	t.Run("client", func(t *testing.T) {
		l, err := startDevice(t, activate(t, c, subs[0])).Listen("tcp", ":7")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		client := connect(t, startSOCKS(t, c), subs[0].SIMID+".sim", 7)
		device, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer device.Close()
		device.SetDeadline(time.Now().Add(patience))
		client.SetLinger(0)
		client.Close()
		if _, err := device.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the device sees %v, want a reset", err)
		}
	})
}

// FuzzSOCKSGreeting has the wire's two parsers read anything; what they accept must be what they say.
func FuzzSOCKSGreeting(f *testing.F) {
	f.Add([]byte(greeting + connectRequest("a.sim", 7)))
	f.Add([]byte("\x05\x02\x01\x00\x05\x01\x00\x01\x0a\x80\x00\x01\x00\x07"))
	f.Fuzz(func(t *testing.T, in []byte) {
		rw := struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(in), io.Discard}
		if negotiate(rw) != nil {
			return
		}
		host, port, rep, err := readRequest(rw)
		if (err == nil) != (rep == repSucceeded) {
			t.Fatalf("reply %d with error %v", rep, err)
		}
		if err == nil && !bytes.Contains(in, []byte(connectRequest(host, port)[4:])) && len(host) < 128 {
			t.Fatalf("host %q port %d out of % x", host, port, in)
		}
	})
}
