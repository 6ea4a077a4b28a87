package rfb_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"minato/targets/rfb"
	"minato/targets/rfb/rfbtest"
)

// BenchmarkUpdates is a screen of 1024 by 768 pixels full of the sample screen, of which each update changes a tenth: another part of
// it at another place. The processor time is that of the whole process: drawing, encoding, both ends of the socket.
func BenchmarkUpdates(b *testing.B) {
	const width, height = 1024, 768
	tenth := image.Rect(0, 0, width, height/10)
	for name, encoding := range map[string]int{"Raw": rfbtest.Raw, "ZRLE": rfbtest.ZRLE} {
		b.Run(name, func(b *testing.B) {
			sample := tiled(panelImage(b), width, height)
			f := rfb.NewFramebuffer(width, height)
			show(f, sample, image.Point{})
			c, v := rawConnection(b, f)
			if err := v.SetEncodings(encoding); err != nil {
				b.Fatal(err)
			}
			update(b, v, false)
			in := bufio.NewReaderSize(c, 64<<10) // the viewer has read nothing ahead: it was given all it asked for
			var bytes int64
			before := processorTime(b)
			for i := 0; b.Loop(); i++ {
				if err := v.Request(true, f.Bounds()); err != nil {
					b.Fatal(err)
				}
				from := tenth.Add(image.Pt(0, i*37%(height-tenth.Dy())))
				show(f, sample.SubImage(from).(*image.RGBA), image.Pt(0, i*53%(height-tenth.Dy())))
				bytes += skipUpdate(b, in, encoding)
				c.SetDeadline(time.Now().Add(time.Minute))
			}
			used := (processorTime(b) - before) / time.Duration(b.N)
			b.ReportMetric(float64(used.Microseconds()), "cpu-µs/update")
			b.ReportMetric(100*30*used.Seconds(), "%core-at-30/s")
			b.ReportMetric(float64(bytes)/float64(b.N), "bytes/update")
		})
	}
}

func rawConnection(b *testing.B, f *rfb.Framebuffer) (net.Conn, *rfbtest.Viewer) {
	b.Helper()
	s, err := rfb.NewServer(rfb.Config{Framebuffer: f})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	b.Cleanup(func() { cancel(); <-done })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	v, err := rfbtest.New(c)
	if err != nil {
		b.Fatal(err)
	}
	return c, v
}

func tiled(img *image.RGBA, width, height int) *image.RGBA {
	return draw(image.Pt(width, height), func(x, y int, _ *rand.Rand) color.RGBA {
		return img.RGBAAt(x%img.Rect.Dx(), y%img.Rect.Dy())
	})
}

// skipUpdate reads an update without decoding it, and gives its size.
func skipUpdate(b *testing.B, in *bufio.Reader, encoding int) (size int64) {
	b.Helper()
	take := func(n int) []byte {
		size += int64(n)
		out := make([]byte, n)
		if _, err := io.ReadFull(in, out); err != nil {
			b.Fatal(err)
		}
		return out
	}
	for range binary.BigEndian.Uint16(take(4)[2:]) {
		rect := take(12)
		n := 4 * int(binary.BigEndian.Uint16(rect[4:])) * int(binary.BigEndian.Uint16(rect[6:]))
		if encoding == rfbtest.ZRLE {
			n = int(binary.BigEndian.Uint32(take(4)))
		}
		size += int64(n)
		if _, err := in.Discard(n); err != nil {
			b.Fatal(err)
		}
	}
	return size
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
