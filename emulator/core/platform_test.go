package core

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	proxyproto "github.com/pires/go-proxyproto"

	"minato/agent/netstack"
)

const insideAddr = "100.127.127.100:8888"

// listenHost is a service's listener on the host.
func listenHost(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func streamService(target string) []PlatformService {
	return []PlatformService{{Addr: netip.MustParseAddrPort(insideAddr), Protocol: TCP, Target: target}}
}

// accept takes a connection and its PROXY header.
func accept(t testing.TB, l net.Listener) (*net.TCPConn, *bufio.Reader, *proxyproto.Header) {
	t.Helper()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(conn)
	h, err := proxyproto.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn), r, h
}

// TestPlatformStream half-closes a connection from either side, and wants the host to know whose it is.
func TestPlatformStream(t *testing.T) {
	subs := openSubscribers(1)
	l := listenHost(t)
	c := startCore(t, Config{Subscribers: subs, Platform: streamService(l.Addr().String())})
	s := activate(t, c, subs[0])
	device := startDevice(t, s)
	for _, first := range []string{"device", "host"} {
		t.Run(first+" ends first", func(t *testing.T) {
			conn, err := device.DialContext(testContext(t), "tcp", insideAddr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			host, r, h := accept(t, l)
			if h.Version != 2 || h.TransportProtocol != proxyproto.TCPv4 || h.SourceAddr.String() != conn.LocalAddr().String() || h.DestinationAddr.String() != insideAddr {
				t.Errorf("header %+v", h)
			}
			payload := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
			half := conn.(interface{ CloseWrite() error })
			up := func() {
				go func() { conn.Write(payload); half.CloseWrite() }()
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, payload) {
					t.Errorf("to the host: %d bytes, %v", len(got), err)
				}
			}
			down := func() {
				go func() { host.Write(payload); host.CloseWrite() }()
				if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, payload) {
					t.Errorf("to the device: %d bytes, %v", len(got), err)
				}
			}
			if first == "device" {
				up()
				down()
			} else {
				down()
				up()
			}
		})
	}
}

// TestPlatformEnds has connections end that cannot go on: refused, idle, cut with the session, one too many.
func TestPlatformEnds(t *testing.T) {
	subs := openSubscribers(1)
	reset := func(t *testing.T, conn net.Conn) {
		t.Helper()
		conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v, want a reset", err)
		}
	}
	dialReset := func(t *testing.T, device *netstack.Stack) {
		t.Helper()
		conn, err := device.DialContext(testContext(t), "tcp", insideAddr)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return // its reset came before the dial was over
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		reset(t, conn)
	}
	t.Run("refused", func(t *testing.T) {
		l := listenHost(t)
		l.Close()
		c := startCore(t, Config{Subscribers: subs, Platform: streamService(l.Addr().String())})
		dialReset(t, startDevice(t, activate(t, c, subs[0])))
	})
	t.Run("idle", func(t *testing.T) {
		l := listenHost(t)
		c := startCore(t, Config{Subscribers: subs, Platform: streamService(l.Addr().String()), PlatformIdle: 50 * time.Millisecond})
		conn, err := startDevice(t, activate(t, c, subs[0])).DialContext(testContext(t), "tcp", insideAddr)
		if err != nil && !errors.Is(err, syscall.ECONNREFUSED) { // its reset may come before the dial is over
			t.Fatal(err)
		}
		host, _, _ := accept(t, l)
		if err == nil {
			defer conn.Close()
			reset(t, conn)
		}
		reset(t, host)
	})
	t.Run("session", func(t *testing.T) {
		l := listenHost(t)
		c := startCore(t, Config{Subscribers: subs, Platform: streamService(l.Addr().String())})
		s := activate(t, c, subs[0])
		conn, err := startDevice(t, s).DialContext(testContext(t), "tcp", insideAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		host, _, _ := accept(t, l)
		go io.Copy(conn, endless{}) // which the host does not read
		s.Close("over")
		if _, err := io.Copy(io.Discard, host); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the host reads %v", err)
		}
	})
	t.Run("too many", func(t *testing.T) {
		l := listenHost(t)
		c := startCore(t, Config{Subscribers: subs, Platform: streamService(l.Addr().String())})
		device := startDevice(t, activate(t, c, subs[0]))
		for range platformFlows {
			conn, err := device.DialContext(testContext(t), "tcp", insideAddr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			host, _, _ := accept(t, l)
			defer host.Close()
		}
		dialReset(t, device)
	})
}
