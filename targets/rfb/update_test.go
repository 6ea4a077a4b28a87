package rfb

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIncrementalUpdates(t *testing.T) {
	f := NewFramebuffer(800, 600)
	w := view(t, serve(t, Config{Framebuffer: f}), 1)
	whole := f.Bounds()

	w.request(false, whole)
	area := 0
	rects, _ := w.update(4)
	for _, r := range rects {
		area += r.Dx() * r.Dy()
	}
	if area != 800*600 {
		t.Errorf("a full update has %d pixels, want %d", area, 800*600)
	}

	changed := image.Rect(100, 40, 110, 50)
	w.request(true, whole) // waits for the change
	fill(f, changed, color.RGBA{1, 2, 3, 255})
	rects, data := w.update(4)
	if diff := cmp.Diff([]image.Rectangle{changed}, rects); diff != "" {
		t.Fatalf("damage (-want +got):\n%s", diff)
	}
	if want := bytes.Repeat([]byte{3, 2, 1, 0}, 100); !bytes.Equal(want, data[0]) {
		t.Errorf("pixels = %x ..., want 03020100", data[0][:8])
	}

	// One request, one update: two changes after one request come with the next two requests.
	w.request(true, whole)
	fill(f, image.Rect(0, 0, 1, 1), color.RGBA{})
	w.update(4)
	fill(f, image.Rect(5, 5, 6, 6), color.RGBA{})
	fill(f, image.Rect(500, 500, 501, 501), color.RGBA{})
	w.request(true, image.Rect(0, 0, 100, 100))
	if rects, _ := w.update(4); !cmp.Equal(rects, []image.Rectangle{image.Rect(5, 5, 6, 6)}) {
		t.Errorf("update of a region = %v, want only what changed in it", rects)
	}
	w.request(true, whole)
	if rects, _ := w.update(4); !cmp.Equal(rects, []image.Rectangle{image.Rect(500, 500, 501, 501)}) {
		t.Errorf("update = %v, want what the region before left out", rects)
	}
}

func TestPixelFormats(t *testing.T) {
	tests := []struct {
		name string
		f    PixelFormat
		want []byte // of red 255, green 128, blue 64
	}{
		{"32 little-endian", nativeFormat, []byte{64, 128, 255, 0}},
		{"32 big-endian", PixelFormat{32, 24, true, true, 255, 255, 255, 16, 8, 0}, []byte{0, 255, 128, 64}},
		{"32 big-endian, high shifts", PixelFormat{32, 24, true, true, 255, 255, 255, 24, 16, 8}, []byte{255, 128, 64, 0}},
		{"16 565 little-endian", PixelFormat{16, 16, false, true, 31, 63, 31, 11, 5, 0}, []byte{0x08, 0xfc}},
		{"16 565 big-endian", PixelFormat{16, 16, true, true, 31, 63, 31, 11, 5, 0}, []byte{0xfc, 0x08}},
		{"16 555", PixelFormat{16, 15, false, true, 31, 31, 31, 10, 5, 0}, []byte{0x08, 0x7e}},
		{"8 BGR233", PixelFormat{8, 8, false, true, 7, 7, 3, 0, 3, 6}, []byte{0b01_100_111}},
		{"8 colour map", PixelFormat{BitsPerPixel: 8, Depth: 8}, []byte{0b111_100_01}},
	}
	f := NewFramebuffer(4, 4)
	fill(f, f.Bounds(), color.RGBA{255, 128, 64, 255})
	address := serve(t, Config{Framebuffer: f})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := view(t, address, 1)
			w.send(tt.f.append([]byte{msgSetPixelFormat, 0, 0, 0})...)
			w.request(false, f.Bounds())
			if !tt.f.TrueColor {
				w.expect("\x01\x00\x00\x00\x01\x00")
				entries := w.recv(256 * 6)
				index := int(tt.want[0])
				if got := binary.BigEndian.Uint16(entries[6*index:]); got != 0xffff {
					t.Errorf("red of colour %d = %#x, want 0xffff", index, got)
				}
			}
			_, data := w.update(int(tt.f.BitsPerPixel) / 8)
			if want := bytes.Repeat(tt.want, 16); !bytes.Equal(want, data[0]) {
				t.Errorf("pixel = %x, want %x", data[0][:len(tt.want)], tt.want)
			}
		})
	}
}

func TestDamage(t *testing.T) {
	rect := image.Rect
	tests := []struct {
		name string
		add  []image.Rectangle
		take image.Rectangle
		want []image.Rectangle
		rest []image.Rectangle
	}{
		{"nothing", nil, rect(0, 0, 100, 70), nil, nil},
		{"everything is one rectangle", []image.Rectangle{rect(-5, -5, 500, 500)}, rect(0, 0, 100, 70), []image.Rectangle{rect(0, 0, 100, 70)}, nil},
		{"across tiles", []image.Rectangle{rect(30, 30, 40, 34)}, rect(0, 0, 100, 70), []image.Rectangle{rect(30, 30, 40, 34)}, nil},
		{"two far apart", []image.Rectangle{rect(0, 0, 2, 2), rect(90, 60, 92, 62)}, rect(0, 0, 100, 70), []image.Rectangle{rect(0, 0, 2, 2), rect(90, 60, 92, 62)}, nil},
		{"left half", []image.Rectangle{rect(0, 0, 20, 20)}, rect(0, 0, 10, 70), []image.Rectangle{rect(0, 0, 10, 20)}, []image.Rectangle{rect(10, 0, 20, 20)}},
		{"lower half", []image.Rectangle{rect(0, 0, 20, 20)}, rect(0, 10, 100, 70), []image.Rectangle{rect(0, 10, 20, 20)}, []image.Rectangle{rect(0, 0, 20, 10)}},
		{"middle", []image.Rectangle{rect(0, 0, 20, 20)}, rect(5, 5, 10, 10), []image.Rectangle{rect(5, 5, 10, 10)}, []image.Rectangle{rect(0, 0, 20, 20)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDamage(image.NewRGBA(rect(0, 0, 100, 70)))
			for _, r := range tt.add {
				d.add(r)
			}
			if diff := cmp.Diff(tt.want, d.news(tt.take).rects); diff != "" {
				t.Errorf("taken (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.rest, d.news(d.bounds).rects); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMoveWhilePixelsAreRead: pixels that are read after a move show its source as it is now, so that the viewer cannot copy from there.
func TestMoveWhilePixelsAreRead(t *testing.T) {
	d := newDamage(image.NewRGBA(image.Rect(0, 0, 32, 32)))
	d.takeMoves(true)
	to, source := image.Rect(0, 0, 10, 10), image.Rect(0, 10, 10, 20)
	d.add(source)
	d.news(d.bounds)
	d.addMove(to, source.Min)
	d.allRead()
	if n := d.news(d.bounds); !n.move.to.Empty() || !cmp.Equal(n.rects, []image.Rectangle{to}) {
		t.Errorf("news = %+v, want the pixels of %v", n, to)
	}
	d.allRead()
	d.addMove(to, source.Min)
	if n := d.news(d.bounds); n.move.to != to || len(n.rects) > 0 {
		t.Errorf("news = %+v, want the move", n)
	}
}

// FuzzDamage: whatever was added and asked for, nothing that was added is lost, and nothing clean outside a box is sent twice.
func FuzzDamage(f *testing.F) {
	f.Add([]byte{1, 2, 30, 40, 0, 0, 100, 70, 5, 5, 9, 9})
	f.Fuzz(func(t *testing.T, ops []byte) {
		d := newDamage(image.NewRGBA(image.Rect(0, 0, 100, 70)))
		dirty := map[image.Point]bool{}
		for i := 0; len(ops) >= 4; i, ops = i+1, ops[4:] {
			r := image.Rect(int(ops[0]), int(ops[1]), int(ops[2]), int(ops[3])).Intersect(d.bounds)
			if i%2 == 0 {
				d.add(r)
				for y := r.Min.Y; y < r.Max.Y; y++ {
					for x := r.Min.X; x < r.Max.X; x++ {
						dirty[image.Pt(x, y)] = true
					}
				}
				continue
			}
			for _, got := range d.news(r).rects {
				if !got.In(r) {
					t.Fatalf("taking %v gave %v", r, got)
				}
				for y := got.Min.Y; y < got.Max.Y; y++ {
					for x := got.Min.X; x < got.Max.X; x++ {
						delete(dirty, image.Pt(x, y))
					}
				}
			}
		}
		for _, got := range d.news(d.bounds).rects {
			for y := got.Min.Y; y < got.Max.Y; y++ {
				for x := got.Min.X; x < got.Max.X; x++ {
					delete(dirty, image.Pt(x, y))
				}
			}
		}
		if len(dirty) != 0 {
			t.Fatalf("%d damaged pixels were lost", len(dirty))
		}
	})
}
