package hdlc

import (
	"math/rand/v2"
	"testing"
)

func randomPacket(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

func BenchmarkFCS(b *testing.B) {
	p := randomPacket(1500)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		updateFCS(fcsInit, p)
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	p, header := randomPacket(1500), []byte{0x21}
	buf := make([]byte, 0, 4096)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendFrame(buf[:0], 0, header, p)
	}
}

func BenchmarkDecode(b *testing.B) {
	p, header := randomPacket(1500), []byte{0x21}
	var line []byte
	const frames = 40
	for range frames {
		line = AppendFrame(line, 0, header, p)
	}
	d := NewDecoder(1508)
	d.NoCarrier = true
	// 4095 octets is what one read of a PTY gives.
	b.SetBytes(int64(frames * len(p)))
	b.ReportAllocs()
	for b.Loop() {
		for rest := line; len(rest) > 0; {
			n := min(4095, len(rest))
			d.Decode(rest[:n], func([]byte) {})
			rest = rest[n:]
		}
	}
	if c := d.Counters; c.Good == 0 || c.BadFCS+c.Short+c.Aborted+c.Oversize != 0 {
		b.Fatalf("counters %+v", c)
	}
}
