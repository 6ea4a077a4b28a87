package report

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// The two parties of a recorded connection; packets are one millisecond apart.
var (
	clientAddr = netip.MustParseAddrPort("192.0.2.7:40000")
	serverAddr = netip.MustParseAddrPort("203.0.113.9:10123")
)

// recorder writes what a capture would hold of TCP connections.
type recorder struct {
	t        testing.TB
	ng       *pcapgo.NgWriter
	at       time.Time
	up, down uint32 // next sequence numbers
	client   netip.AddrPort
}

func newRecorder(t testing.TB, w io.Writer, linkType layers.LinkType) *recorder {
	ng, err := pcapgo.NewNgWriter(w, linkType)
	if err != nil {
		t.Fatal(err)
	}
	return &recorder{t: t, ng: ng, at: time.Unix(1_800_000_000, 0), up: 1000, down: 9000, client: clientAddr}
}

// flags of a segment.
const (
	syn = 1 << iota
	ack
	fin
	rst
)

func (r *recorder) send(toServer bool, flags int, payload string) {
	seq, src, dst := &r.up, r.client, serverAddr
	if !toServer {
		seq, src, dst = &r.down, serverAddr, r.client
	}
	r.sendAt(src, dst, *seq, flags, payload)
	*seq += uint32(len(payload))
	if flags&(syn|fin) != 0 {
		*seq++
	}
}

func (r *recorder) sendAt(src, dst netip.AddrPort, seq uint32, flags int, payload string) {
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.IP(src.Addr().AsSlice()), DstIP: net.IP(dst.Addr().AsSlice())}
	tcp := &layers.TCP{SrcPort: layers.TCPPort(src.Port()), DstPort: layers.TCPPort(dst.Port()), Seq: seq, SYN: flags&syn != 0, ACK: flags&ack != 0, FIN: flags&fin != 0, RST: flags&rst != 0}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		r.t.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ip, tcp, gopacket.Payload(payload)); err != nil {
		r.t.Fatal(err)
	}
	r.write(buf.Bytes(), buf.Bytes())
}

func (r *recorder) write(data, whole []byte) {
	r.at = r.at.Add(time.Millisecond)
	if err := r.ng.WritePacket(gopacket.CaptureInfo{Timestamp: r.at, CaptureLength: len(data), Length: len(whole)}, data); err != nil {
		r.t.Fatal(err)
	}
}

func (r *recorder) open() {
	r.send(true, syn, "")
	r.send(false, syn|ack, "")
	r.send(true, ack, "")
}

func (r *recorder) close() {
	r.send(true, fin|ack, "")
	r.send(false, fin|ack, "")
	r.send(true, ack, "")
}

// record makes a capture of raw IP packets.
func record(t testing.TB, fn func(r *recorder)) []byte {
	var buf bytes.Buffer
	r := newRecorder(t, &buf, layers.LinkTypeRaw)
	fn(r)
	if err := r.ng.Flush(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
