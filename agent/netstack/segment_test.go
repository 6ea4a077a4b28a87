package netstack

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// TestSegments looks at what the link gets of a transfer with another's decoder: whole packets with right checksums, no longer than the link allows,
// one after the other; and at what gVisor counts, since otherwise it may have cut them itself.
func TestSegments(t *testing.T) {
	for _, family := range []struct {
		name, address string
		first         gopacket.LayerType
		mss           int
	}{
		{"IPv4", "10.0.0.2:0", layers.LayerTypeIPv4, 1500 - 20 - 60},
		{"IPv6", "[fd00::2]:0", layers.LayerTypeIPv6, 1500 - 40 - 60},
	} {
		t.Run(family.name, func(t *testing.T) {
			var mu sync.Mutex
			var seen [][]byte
			w := startSwitch(t, SwitchConfig{Capture: func(p []byte) {
				mu.Lock()
				seen = append(seen, bytes.Clone(p))
				mu.Unlock()
			}})
			a, b := addHost(t, w, addrA, addrA6), addHost(t, w, addrB, addrB6)
			from, to := connPair(t, a, b, family.address)
			sent := make([]byte, 300_001)
			rand.NewChaCha8([32]byte{}).Read(sent)
			go from.Write(sent)
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("%v, whole: %v", err, bytes.Equal(got, sent))
			}
			mu.Lock()
			packets := slices.Clone(seen)
			mu.Unlock()
			var next uint32
			var stream []byte
			full, pushed := 0, 0
			for i, p := range packets {
				if len(p) > 1500 {
					t.Errorf("packet %d has %d octets", i, len(p))
				}
				decoded := gopacket.NewPacket(p, family.first, gopacket.Default)
				segment := decoded.TransportLayer().(*layers.TCP)
				segment.SetNetworkLayerForChecksum(decoded.NetworkLayer())
				if err, wrong := decoded.VerifyChecksums(); err != nil || len(wrong) > 0 {
					t.Fatalf("packet %d: %v, checksums %v\n%v", i, err, wrong, decoded)
				}
				if segment.DstPort != layers.TCPPort(netip.MustParseAddrPort(to.LocalAddr().String()).Port()) {
					continue
				}
				if segment.SYN {
					next = segment.Seq + 1
				}
				if len(segment.Payload) == 0 {
					continue
				}
				if again := int32(next - segment.Seq); again > 0 && int(again) >= len(segment.Payload) {
					continue // sent twice: on a busy machine an acknowledgement is late
				}
				if segment.Seq != next { // the switch loses nothing
					t.Fatalf("packet %d begins at %d, not at %d", i, segment.Seq, next)
				}
				next += uint32(len(segment.Payload))
				stream = append(stream, segment.Payload...)
				if len(segment.Payload) == family.mss {
					full++
				}
				if segment.PSH {
					pushed++
				}
			}
			if !bytes.Equal(stream, sent) {
				t.Errorf("the packets carry %d octets that differ from the %d sent", len(stream), len(sent))
			}
			cut := int(a.Stats().PacketsOut) - int(a.stack.Stats().TCP.SegmentsSent.Value())
			t.Logf("%d packets full, %d pushed, %d more than gVisor made", full, pushed, cut)
			if full < 150 || pushed > full/2 || cut < 100 {
				t.Errorf("%d packets are full, %d pushed, %d more than gVisor made", full, pushed, cut)
			}
		})
	}
}

// TestQueueOfSegments holds the queue to its length in packets of the link: what gVisor hands over as one may be many.
func TestQueueOfSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mss, queue = 1000, 64 // a quarter of which is not TCP's
		var dropped atomic.Uint64
		l := newLink(queue, 1500, &dropped, nil)
		defer l.Close()
		send := func(octets int) <-chan struct{} {
			pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(make([]byte, octets))})
			pkt.TransportProtocolNumber = tcp.ProtocolNumber
			pkt.GSOOptions = stack.GSO{Type: stack.GSOTCPv4, MSS: mss, NeedsCsum: true}
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer pkt.DecRef()
				var list stack.PacketBufferList
				list.PushBack(pkt)
				l.WritePackets(list)
			}()
			synctest.Wait()
			return done
		}
		waits := func(done <-chan struct{}) bool {
			select {
			case <-done:
				return false
			default:
				return true
			}
		}
		for i, size := range []int{15*mss + 1, 15*mss + 1, 16 * mss} {
			if waits(send(size)) {
				t.Fatalf("packet %d waits, with %d in the queue", i, l.queued.Load())
			}
		}
		last := send(1)
		if !waits(last) {
			t.Fatalf("nothing waits, with %d in the queue", l.queued.Load())
		}
		pkt := l.Read()
		l.take(pkt)
		pkt.DecRef()
		<-last
		if got := l.queued.Load(); got != 33 || dropped.Load() != 0 {
			t.Errorf("%d in the queue and %d dropped, not 33 and none", got, dropped.Load())
		}
		<-send(16 * mss)
		<-send(16 * mss) // waits until the link stands still
		if !l.stalled.Load() {
			t.Error("the link that takes nothing does not stand still")
		}
		<-send(16 * mss)
		if got := l.queued.Load(); got != 65 || dropped.Load() != 16 {
			t.Errorf("%d in the queue that stands still and %d dropped, not 65 and 16", got, dropped.Load())
		}
	})
}

// TestShortQueue has a link so slow that its queue was made for a few packets: it is not given more at a time either, since what is urgent waits
// behind them.
func TestShortQueue(t *testing.T) {
	const queue = 8
	var a, b *Stack
	given := make(chan struct{})
	to := func(s **Stack, most int) func([][]byte) error {
		return func(packets [][]byte) error {
			<-given
			if len(packets) > most {
				t.Errorf("%d packets at a time, of a queue of %d", len(packets), most)
			}
			for _, p := range packets {
				(*s).Deliver(p)
			}
			return nil
		}
	}
	a = runStack(t, Config{Addrs: []netip.Addr{addrA}, Queue: queue, Output: to(&b, queue)})
	b = runStack(t, Config{Addrs: []netip.Addr{addrB}, Output: to(&a, 1<<10)})
	close(given)
	from, into := connPair(t, a, b, "10.0.0.2:0")
	const size = 300_000
	go from.Write(make([]byte, size))
	if _, err := io.ReadFull(into, make([]byte, size)); err != nil {
		t.Error(err)
	}
}
