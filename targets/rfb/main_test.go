package rfb

import (
	"bufio"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server on loopback until the test ends, and gives its address.
func serve(t testing.TB, cfg Config) string {
	t.Helper()
	if cfg.Framebuffer == nil {
		cfg.Framebuffer = NewFramebuffer(64, 48)
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.authDelay = 0
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil on cancel", err)
		}
	})
	return l.Addr().String()
}

// wire is a viewer that is driven byte by byte.
type wire struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func dial(t testing.TB, address string) *wire {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(60 * time.Second))
	return &wire{t: t, Conn: c, r: bufio.NewReader(c)}
}

func (w *wire) send(b ...byte) {
	w.t.Helper()
	if _, err := w.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) recv(n int) []byte {
	w.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(w.r, b); err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *wire) expect(want string) {
	w.t.Helper()
	if got := string(w.recv(len(want))); got != want {
		w.t.Fatalf("received %q, want %q", got, want)
	}
}

func (w *wire) expectEnd() {
	w.t.Helper()
	if b, err := w.r.ReadByte(); err == nil {
		w.t.Fatalf("received %#x, want the end", b)
	}
}

// view is a whole 3.8 handshake without a password.
func view(t testing.TB, address string, shared byte) *wire {
	t.Helper()
	w := dial(t, address)
	w.expect("RFB 003.008\n")
	w.send([]byte("RFB 003.008\n")...)
	w.expect("\x01\x01")
	w.send(1)
	w.expect("\x00\x00\x00\x00")
	w.send(shared)
	init := w.recv(24)
	w.recv(int(binary.BigEndian.Uint32(init[20:])))
	return w
}

func (w *wire) request(incremental bool, r image.Rectangle) {
	w.t.Helper()
	b := []byte{msgFramebufferUpdateRequest, flag(incremental)}
	for _, v := range []int{r.Min.X, r.Min.Y, r.Dx(), r.Dy()} {
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	}
	w.send(b...)
}

// update reads a Raw update, and gives its rectangles and their pixels.
func (w *wire) update(pixelSize int) (rects []image.Rectangle, data [][]byte) {
	w.t.Helper()
	head := w.recv(4)
	if head[0] != msgFramebufferUpdate {
		w.t.Fatalf("message type %d, want an update", head[0])
	}
	for range binary.BigEndian.Uint16(head[2:]) {
		b := w.recv(12)
		at := func(i int) int { return int(binary.BigEndian.Uint16(b[i:])) }
		if e := Encoding(binary.BigEndian.Uint32(b[8:])); e != EncodingRaw {
			w.t.Fatalf("%v, want Raw", e)
		}
		rects = append(rects, image.Rect(at(0), at(2), at(0)+at(4), at(2)+at(6)))
		data = append(data, w.recv(at(4)*at(6)*pixelSize))
	}
	return rects, data
}

func fill(f *Framebuffer, r image.Rectangle, c color.RGBA) {
	f.Draw(func(img *image.RGBA, changes Changes) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				img.SetRGBA(x, y, c)
			}
		}
		changes.Area(r)
	})
}
