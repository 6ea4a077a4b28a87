package rfb_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"minato/targets/panel"
	"minato/targets/plc"
	"minato/targets/rfb"
	"minato/targets/rfb/rfbtest"
)

// panelImage is the sample screen after some minutes of plant.
func panelImage(t testing.TB) *image.RGBA {
	t.Helper()
	plant := plc.New(plc.Config{Seed: 3})
	for range 1000 {
		plant.Step()
	}
	p, err := panel.New(panel.Config{Name: "plant 1", Plant: plant, Now: func() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	return p.Framebuffer().Snapshot()
}

func show(f *rfb.Framebuffer, img *image.RGBA, at image.Point) {
	f.Draw(func(screen *image.RGBA, changes rfb.Changes) {
		r := image.Rectangle{at, at.Add(img.Rect.Size())}
		for y := range r.Dy() {
			copy(screen.Pix[screen.PixOffset(at.X, at.Y+y):][:4*r.Dx()], img.Pix[y*img.Stride:])
		}
		changes.Area(r)
	})
}

// serve runs a server on loopback until the test ends, and gives viewers of it.
func serve(t testing.TB, cfg rfb.Config) (connect func() *rfbtest.Viewer) {
	t.Helper()
	s, err := rfb.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, s)
}

func serveOn(t testing.TB, s *rfb.Server) (connect func() *rfbtest.Viewer) {
	t.Helper()
	l := listen(t, s, "tcp", "127.0.0.1:0")
	return func() *rfbtest.Viewer { return connectTo(t, l.Addr().Network(), l.Addr().String()) }
}

// listen has s serve until the test ends.
func listen(t testing.TB, s *rfb.Server, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
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
	return l
}

func connectTo(t testing.TB, network, address string) *rfbtest.Viewer {
	t.Helper()
	c, err := net.DialTimeout(network, address, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	v, err := rfbtest.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func update(t testing.TB, v *rfbtest.Viewer, incremental bool) rfbtest.Update {
	t.Helper()
	if err := v.Request(incremental, v.Screen.Bounds()); err != nil {
		t.Fatal(err)
	}
	u, _, err := v.Await()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// pictures are what encoders tell apart: each has its own best form.
var pictures = map[string]func(x, y int, random *rand.Rand) color.RGBA{
	"solid":         func(x, y int, _ *rand.Rand) color.RGBA { return color.RGBA{1, 2, 3, 255} },
	"two colours":   func(x, y int, r *rand.Rand) color.RGBA { return gray(255 * r.IntN(2)) },
	"three colours": func(x, y int, r *rand.Rand) color.RGBA { return gray(100 * r.IntN(3)) },
	"ten colours":   func(x, y int, r *rand.Rand) color.RGBA { return gray(20 * r.IntN(10)) },
	"wide stripes":  func(x, y int, _ *rand.Rand) color.RGBA { return gray(x / 40 * 7 % 250) },
	"long runs":     func(x, y int, _ *rand.Rand) color.RGBA { return gray(y / 9 * 3 % 250) },
	"200 colours":   func(x, y int, r *rand.Rand) color.RGBA { return gray(r.IntN(200)) },
	"gradient":      func(x, y int, _ *rand.Rand) color.RGBA { return color.RGBA{uint8(x), uint8(y), uint8(x + y), 255} },
	"noise": func(_, _ int, r *rand.Rand) color.RGBA {
		n := r.Uint32()
		return color.RGBA{uint8(n), uint8(n >> 8), uint8(n >> 16), 255}
	},
	"a few dots": func(x, y int, r *rand.Rand) color.RGBA { return gray(r.IntN(200) / 199 * (x + 9)) },
}

func gray(n int) color.RGBA { return color.RGBA{uint8(n), uint8(n), uint8(n), 255} }

func draw(size image.Point, at func(x, y int, random *rand.Rand) color.RGBA) *image.RGBA {
	random := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			img.SetRGBA(x, y, at(x, y, random))
		}
	}
	return img
}

// TestEncodings: whatever the picture and the pixel format, each encoding shows what Raw does. Streams last from picture to picture.
func TestEncodings(t *testing.T) {
	formats := map[string]rfbtest.Format{
		"888":            rfbtest.RGB888,
		"888 big-endian": {Bits: 32, Depth: 24, BigEndian: true, Max: [3]uint16{255, 255, 255}, Shift: [3]uint8{16, 8, 0}},
		"888 high":       {Bits: 32, Depth: 24, Max: [3]uint16{255, 255, 255}, Shift: [3]uint8{24, 16, 8}},
		"BGR":            {Bits: 32, Depth: 24, Max: [3]uint16{255, 255, 255}, Shift: [3]uint8{0, 8, 16}},
		"depth 32":       {Bits: 32, Depth: 32, Max: [3]uint16{255, 255, 255}, Shift: [3]uint8{16, 8, 0}},
		"30 bits":        {Bits: 32, Depth: 30, Max: [3]uint16{1023, 1023, 1023}, Shift: [3]uint8{20, 10, 0}},
		"565":            {Bits: 16, Depth: 16, Max: [3]uint16{31, 63, 31}, Shift: [3]uint8{11, 5, 0}},
		"565 big-endian": {Bits: 16, Depth: 16, BigEndian: true, Max: [3]uint16{31, 63, 31}, Shift: [3]uint8{11, 5, 0}},
		"233":            {Bits: 8, Depth: 8, Max: [3]uint16{7, 7, 3}, Shift: [3]uint8{0, 3, 6}},
		"colour map":     {Bits: 8, Depth: 8},
	}
	size := image.Pt(83, 70) // tiles of 16 and 64 are cut at both edges
	f := rfb.NewFramebuffer(size.X, size.Y)
	connect := serve(t, rfb.Config{Framebuffer: f, Viewers: 100})
	drawn := map[string]*image.RGBA{}
	for name, at := range pictures {
		drawn[name] = draw(size, at)
	}
	for name, format := range formats {
		t.Run(name, func(t *testing.T) {
			reference := connect()
			if err := reference.SetFormat(format); err != nil {
				t.Fatal(err)
			}
			for _, encoding := range []int{rfbtest.Hextile, rfbtest.Tight, rfbtest.ZRLE} {
				v := connect()
				if err := v.SetFormat(format); err != nil {
					t.Fatal(err)
				}
				if err := v.SetEncodings(encoding); err != nil {
					t.Fatal(err)
				}
				for picture, img := range drawn {
					show(f, img, image.Point{})
					update(t, reference, false)
					u := update(t, v, false)
					for _, r := range u.Rects {
						if r.Encoding != encoding {
							t.Fatalf("encoding %d, want %d", r.Encoding, encoding)
						}
					}
					if !bytes.Equal(reference.Screen.Pix, v.Screen.Pix) {
						t.Errorf("%s in encoding %d differs from Raw", picture, encoding)
					}
				}
			}
		})
	}
}

// TestSizes: what the forms of each encoding are for. Bytes of one update of 64 by 64 pixels, with its 16 bytes of headers.
func TestSizes(t *testing.T) {
	tests := []struct {
		picture        string
		encoding, most int
	}{
		{"solid", rfbtest.Hextile, 16 + 5 + 15},        // a background, then 15 tiles that say nothing
		{"solid", rfbtest.Tight, 16 + 4},               // a fill
		{"solid", rfbtest.ZRLE, 16 + 4 + 2 + 12},       // length, zlib's header, one solid tile
		{"two colours", rfbtest.Tight, 16 + 9 + 560},   // a bit a pixel
		{"two colours", rfbtest.ZRLE, 16 + 4 + 560},    //
		{"noise", rfbtest.Tight, 16 + 1 + 3*4096 + 40}, // three bytes a pixel
		{"noise", rfbtest.ZRLE, 16 + 4 + 3*4096 + 40},
		{"noise", rfbtest.Hextile, 16 + 16 + 4*4096},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.picture, tt.encoding), func(t *testing.T) {
			f := rfb.NewFramebuffer(64, 64)
			show(f, draw(image.Pt(64, 64), pictures[tt.picture]), image.Point{})
			v := serve(t, rfb.Config{Framebuffer: f})()
			if err := v.SetEncodings(tt.encoding); err != nil {
				t.Fatal(err)
			}
			if u := update(t, v, false); u.Bytes > int64(tt.most) {
				t.Errorf("%d bytes, want at most %d", u.Bytes, tt.most)
			}
		})
	}
}
