package cmux

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
)

// BenchmarkBulk sends packets of 1500 octets through one channel, from end to end.
func BenchmarkBulk(b *testing.B) {
	for _, n1 := range []int{31, 127, 1500} {
		b.Run(fmt.Sprintf("N1=%d", n1), func(b *testing.B) {
			host, modem := net.Pipe()
			h, m := New(host, Config{N1: n1}), New(modem, Config{Role: Responder, N1: n1})
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 2)
			go func() { ended <- h.Run(ctx) }()
			go func() { ended <- m.Run(context.Background()) }()
			from, err := h.Open(ctx, 1)
			if err != nil {
				b.Fatal(err)
			}
			to, err := m.Accept(ctx)
			if err != nil {
				b.Fatal(err)
			}
			packet := make([]byte, 1500)
			received := make(chan int64)
			go func() {
				n, _ := io.Copy(io.Discard, onlyWriterTo{to})
				received <- n
			}()
			b.SetBytes(int64(len(packet)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := from.Write(packet); err != nil {
					b.Fatal(err)
				}
			}
			from.Close()
			<-received
			b.StopTimer()
			cancel()
			<-ended
			<-ended
		})
	}
}

type onlyWriterTo struct{ io.WriterTo }

func (onlyWriterTo) Read([]byte) (int, error) { panic("unused") }

func BenchmarkDecode(b *testing.B) {
	for _, n1 := range []int{31, 127, 1500} {
		b.Run(fmt.Sprintf("N1=%d", n1), func(b *testing.B) {
			var line []byte
			for range 64 << 10 / n1 {
				line = AppendFrame(line, Frame{DLCI: 1, Type: UIH, Info: make([]byte, n1)})
			}
			d := NewDecoder(1600)
			deliver := func(Frame) bool { return true }
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				for p := line; len(p) > 0; {
					n := min(4095, len(p))
					d.Decode(p[:n], deliver)
					p = p[n:]
				}
			}
			if d.Counters.BadFCS+d.Counters.Malformed+d.Counters.Junk != 0 {
				b.Fatalf("%+v", d.Counters)
			}
		})
	}
}

// TestNoAllocationPerFrame guards the hot path.
func TestNoAllocationPerFrame(t *testing.T) {
	line := AppendFrame(nil, Frame{DLCI: 1, Type: UIH, Info: make([]byte, 31)})
	d, buf := NewDecoder(1600), make([]byte, 0, 64)
	deliver := func(f Frame) bool { buf = AppendFrame(buf[:0], f); return true }
	if n := testing.AllocsPerRun(100, func() {
		d.Decode(line[:5], deliver)
		d.Decode(line[5:], deliver)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
