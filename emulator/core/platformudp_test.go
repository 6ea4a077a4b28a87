package core

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	proxyproto "github.com/pires/go-proxyproto"
)

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
	pid := os.Getpid()
	host, err := net.ListenPacket("udp", fmt.Sprintf("127.%d.%d.79:0", 1+pid>>8&0x7f, pid&0xff)) // an address of this process' own: no other test takes the port meanwhile
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
