package netstack

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"minato/agent/netstack/capture"
)

// TestSwitchCapture reads a capture back: every packet of a short connection, whole, in order, with ports and flags.
func TestSwitchCapture(t *testing.T) {
	var file safeBuffer
	recorder, err := capture.New(&file)
	if err != nil {
		t.Fatal(err)
	}
	w := startSwitch(t, SwitchConfig{Capture: func(p []byte) { recorder.Packet(0, capture.Unknown, p) }})
	a, b := addHost(t, w, addrA), addHost(t, w, addrB)
	c, s := connPair(t, a, b, "10.0.0.2:80")
	c.Write([]byte("hello"))
	c.CloseWrite()
	got, err := io.ReadAll(s)
	if err != nil || string(got) != "hello" {
		t.Fatalf("got %q, %v", got, err)
	}
	if err := recorder.Flush(); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(file.Bytes()), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	if r.LinkType() != layers.LinkTypeRaw {
		t.Errorf("link type %v", r.LinkType())
	}
	syn, data := map[layers.TCPPort]bool{}, map[uint32]string{} // by sender and by number: on a busy machine TCP repeats itself
	fin := 0
	var last time.Time
	for {
		raw, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if ci.Timestamp.Before(last) || time.Since(ci.Timestamp) > time.Hour {
			t.Errorf("time stamp %v after %v", ci.Timestamp, last)
		}
		last = ci.Timestamp
		tcp, ok := gopacket.NewPacket(raw, layers.LayerTypeIPv4, gopacket.Default).Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok {
			t.Fatalf("no TCP in % x", raw)
		}
		if tcp.SYN {
			syn[tcp.SrcPort] = true
		}
		if tcp.FIN {
			fin++
		}
		if len(tcp.Payload) > 0 {
			data[tcp.Seq] = string(tcp.Payload)
		}
	}
	if got := slices.Collect(maps.Values(data)); len(syn) != 2 || fin < 1 || len(got) != 1 || got[0] != "hello" {
		t.Errorf("SYN of %d ends, %d FIN, data %q", len(syn), fin, got)
	}
}

// TestSwitchLost counts what nobody owns.
func TestSwitchLost(t *testing.T) {
	w := startSwitch(t, SwitchConfig{})
	a := addHost(t, w, addrA)
	if _, err := a.DialContext(testContext(t), "tcp", "10.0.0.99:80"); err == nil {
		t.Fatal("it connected")
	}
	if w.Lost() == 0 {
		t.Error("nothing was counted")
	}
	if _, err := w.Host(addrA); err == nil {
		t.Error("two hosts with one address")
	}
}

// TestSwitchBackPressure has a ring of hosts, with short queues, send to each other at once, each faster than it reads.
func TestSwitchBackPressure(t *testing.T) {
	w := startSwitch(t, SwitchConfig{Queue: 4})
	const n, size = 4, 1 << 20
	hosts := make([]*Stack, n)
	addr := netip.MustParseAddr("10.0.1.1")
	addrs := make([]netip.Addr, n)
	for i := range hosts {
		hosts[i], addrs[i] = addHost(t, w, addr), addr
		addr = addr.Next()
	}
	var wg sync.WaitGroup
	for i := range hosts {
		c, s := connPair(t, hosts[i], hosts[(i+1)%n], netip.AddrPortFrom(addrs[(i+1)%n], 80).String())
		wg.Go(func() {
			if _, err := c.Write(make([]byte, size)); err != nil {
				t.Error(err)
			}
			c.CloseWrite()
		})
		wg.Go(func() {
			if n, err := io.Copy(io.Discard, s); err != nil || n != size {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
	wg.Wait()
}

// safeBuffer is a file that the switch writes and the test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}
