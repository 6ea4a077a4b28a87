package core

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	proxyproto "github.com/pires/go-proxyproto"

	"minato/agent/netstack"
)

const insideAddr = "100.127.127.100:8023"

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
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		host, _, _ := accept(t, l)
		reset(t, conn)
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

// readDatagram takes one with its header.
func readDatagram(t testing.TB, host net.PacketConn) (*proxyproto.Header, string, net.Addr) {
	t.Helper()
	buf := make([]byte, 1<<16)
	host.SetDeadline(time.Now().Add(patience))
	n, from, err := host.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(bytes.NewReader(buf[:n]))
	h, err := proxyproto.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return h, string(payload), from
}

// TestPlatformDatagrams has two devices use the same port; each wants the answer to its own.
func TestPlatformDatagrams(t *testing.T) {
	subs := openSubscribers(2)
	host, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	c := startCore(t, Config{Subscribers: subs, Platform: []PlatformService{
		{Addr: netip.MustParseAddrPort(insideAddr), Protocol: UDP, Target: host.LocalAddr().String()},
	}})
	var devices []net.Conn
	replyTo := map[string]net.Addr{}
	for i, sub := range subs {
		s := activate(t, c, sub)
		conn, err := startDevice(t, s).DialFrom(testContext(t), netip.AddrPortFrom(s.Lease().Addr, 4000), "udp", insideAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		devices = append(devices, conn)
		for _, size := range []int{0, 1, 3000} { // the last is more than a packet
			want := strings.Repeat(fmt.Sprint(i), size)
			if _, err := conn.Write([]byte(want)); err != nil {
				t.Fatal(err)
			}
			h, got, from := readDatagram(t, host)
			if h.TransportProtocol != proxyproto.UDPv4 || h.SourceAddr.String() != conn.LocalAddr().String() || h.DestinationAddr.String() != insideAddr || got != want {
				t.Errorf("header %+v, %d octets", h, len(got))
			}
			if old := replyTo[conn.LocalAddr().String()]; old != nil && old.String() != from.String() {
				t.Errorf("%v became %v", old, from)
			}
			replyTo[conn.LocalAddr().String()] = from
		}
	}
	for _, conn := range devices {
		want := "for " + conn.LocalAddr().String()
		if _, err := host.WriteTo([]byte(want), replyTo[conn.LocalAddr().String()]); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		n, err := conn.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("%v got %q, %v", conn.LocalAddr(), buf[:n], err)
		}
	}
}

// TestPlatformFlowsEnd opens more flows than there may be, and lets all of them be idle.
func TestPlatformFlowsEnd(t *testing.T) {
	subs := openSubscribers(1)
	host, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	service := PlatformService{Addr: netip.MustParseAddrPort(insideAddr), Protocol: UDP, Target: host.LocalAddr().String()}
	c := startCore(t, Config{Subscribers: subs, PlatformIdle: patience})
	s := activate(t, c, subs[0])
	flows := &datagramFlows{list: make(map[netip.AddrPort]*datagramFlow)}
	target, err := service.target()
	if err != nil {
		t.Fatal(err)
	}
	var first *datagramFlow
	for port := range platformFlows + 10 {
		f, err := flows.get(s, &net.UDPAddr{IP: net.IPv4(10, 128, 0, 1), Port: 1 + port}, &service, target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = f
		}
	}
	flows.mu.Lock()
	n, kept := len(flows.list), flows.list[first.device.(*net.UDPAddr).AddrPort()]
	flows.mu.Unlock()
	if n != platformFlows || kept != nil {
		t.Errorf("%d flows, the first one is still there: %v", n, kept != nil)
	}
	flows.closeAll()
	flows.wg.Wait()
	c.cfg.PlatformIdle = 10 * time.Millisecond
	if _, err := flows.get(s, &net.UDPAddr{IP: net.IPv4(10, 128, 0, 1), Port: 1}, &service, target, nil); err != nil {
		t.Fatal(err)
	}
	flows.wg.Wait()
	if len(flows.list) != 0 {
		t.Errorf("%d flows are left", len(flows.list))
	}
}

// TestPlatformNobody sends to a host that does not listen at first.
func TestPlatformNobody(t *testing.T) {
	subs := openSubscribers(1)
	host, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := host.LocalAddr().String()
	host.Close()
	c := startCore(t, Config{Subscribers: subs, Platform: []PlatformService{{Addr: netip.MustParseAddrPort(insideAddr), Protocol: UDP, Target: address}}})
	conn, err := startDevice(t, activate(t, c, subs[0])).DialContext(testContext(t), "udp", insideAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for range 10 {
		conn.Write([]byte("lost"))
	}
	if host, err = net.ListenPacket("udp", address); err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				conn.Write([]byte("heard"))
			}
		}
	})
	for got := ""; got != "heard"; {
		_, got, _ = readDatagram(t, host)
	}
	close(stop)
	wg.Wait()
}

func TestParsePlatform(t *testing.T) {
	addr := netip.MustParseAddrPort(insideAddr)
	tests := []struct {
		text string
		want PlatformService
		err  string // after `platform service "…": `
	}{
		{"100.127.127.100:8023/tcp=127.0.0.1:1", PlatformService{Addr: addr, Protocol: TCP, Target: "127.0.0.1:1"}, ""},
		{"beam.soracom.io@100.127.127.100:8023/udp=localhost:1", PlatformService{Addr: addr, Protocol: UDP, Name: "beam.soracom.io", Target: "localhost:1"}, ""},
		{"100.127.127.100:8023/tcp=[::1]:1", PlatformService{Addr: addr, Protocol: TCP, Target: "[::1]:1"}, ""},
		{"", PlatformService{}, "want [NAME@]IP:PORT/PROTO=ADDR"},
		{"100.127.127.100:8023=127.0.0.1:1", PlatformService{}, "want /tcp or /udp after the port"},
		{"100.127.127.100:8023/sctp=127.0.0.1:1", PlatformService{}, `protocol "sctp": want tcp or udp`},
		{"100.127.127.100/tcp=127.0.0.1:1", PlatformService{}, `address "100.127.127.100": want IP:PORT`},
		{"[::1]:1/tcp=127.0.0.1:1", PlatformService{}, `address "[::1]:1": want an IPv4 host address and a port from 1`},
		{"100.127.127.100:0/tcp=127.0.0.1:1", PlatformService{}, `address "100.127.127.100:0": want an IPv4 host address and a port from 1`},
		{"100.127.127.100:1/tcp=example.com:1", PlatformService{}, `target "example.com:1": want IP:PORT or localhost:PORT`},
		{"100.127.127.100:1/tcp=127.0.0.1:0", PlatformService{}, `target "127.0.0.1:0": want IP:PORT or localhost:PORT`},
		{"100.127.127.100:1/tcp=127.0.0.1", PlatformService{}, `target "127.0.0.1": want IP:PORT or localhost:PORT`},
		{"@100.127.127.100:1/tcp=127.0.0.1:1", PlatformService{}, "the name before @ is empty"},
		{"-a@100.127.127.100:1/tcp=127.0.0.1:1", PlatformService{}, `name "-a": want a host name`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := ParsePlatform(tt.text)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
				t.Errorf("service (-want +got):\n%s", diff)
			}
			want := ""
			if tt.err != "" {
				want = fmt.Sprintf("platform service %q: %s", tt.text, tt.err)
			}
			if err == nil && want != "" || err != nil && err.Error() != want {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}

func TestPlatformRefused(t *testing.T) {
	one := PlatformService{Addr: netip.MustParseAddrPort(insideAddr), Protocol: TCP, Target: "localhost:1"}
	dns := one
	dns.Addr = netip.MustParseAddrPort("100.127.0.53:53")
	tests := []struct {
		services []PlatformService
		want     string
	}{
		{[]PlatformService{one, one}, "platform service 1: 100.127.127.100:8023/tcp is another service's"},
		{[]PlatformService{dns}, "platform service 0: 100.127.0.53:53 is a name server's"},
		{[]PlatformService{{}}, `platform service 0: address "invalid AddrPort": want an IPv4 host address and a port from 1`},
	}
	for _, tt := range tests {
		if _, err := New(Config{Platform: tt.services}); err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	if _, err := New(Config{PlatformIdle: -1}); err == nil {
		t.Error("a negative idle time was taken")
	}
}

func FuzzParsePlatform(f *testing.F) {
	f.Add("beam.soracom.io@100.127.127.100:8023/udp=localhost:1")
	f.Add("100.127.127.100:8023/tcp=[::1%lo]:1")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParsePlatform(text)
		if err != nil {
			return
		}
		again := fmt.Sprintf("%s/%s=%s", s.Addr, s.Protocol, s.Target)
		if s.Name != "" {
			again = s.Name + "@" + again
		}
		if got, err := ParsePlatform(again); err != nil || got != s {
			t.Fatalf("%q became %q: %v", text, again, err)
		}
	})
}
