package rfb_test

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"net"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"minato/targets/rfb"
	"minato/targets/rfb/rfbtest"
)

func pane(t *testing.T, cfg rfb.Config, encodings ...int) *rfbtest.Viewer {
	t.Helper()
	v := serve(t, cfg)()
	if err := v.SetEncodings(encodings...); err != nil {
		t.Fatal(err)
	}
	return v
}

func encodingsOf(u rfbtest.Update) (out []int) {
	for _, r := range u.Rects {
		out = append(out, r.Encoding)
	}
	return out
}

// scroll moves everything up by rows and draws the last ones anew.
func scroll(f *rfb.Framebuffer, rows int, c color.RGBA) {
	f.Draw(func(img *image.RGBA, changes rfb.Changes) {
		b := img.Bounds()
		copy(img.Pix, img.Pix[rows*img.Stride:])
		changes.Move(image.Rect(0, 0, b.Dx(), b.Dy()-rows), image.Pt(0, rows))
		for y := b.Dy() - rows; y < b.Dy(); y++ {
			for x := range b.Dx() {
				img.SetRGBA(x, y, c)
			}
		}
		changes.Area(image.Rect(0, b.Dy()-rows, b.Dx(), b.Dy()))
	})
}

func TestCopyRect(t *testing.T) {
	f := rfb.NewFramebuffer(200, 100)
	show(f, draw(image.Pt(200, 100), pictures["noise"]), image.Point{})
	v := pane(t, rfb.Config{Framebuffer: f}, rfbtest.Raw, rfbtest.CopyRect)
	update(t, v, false)
	scroll(f, 10, color.RGBA{1, 2, 3, 255})
	u := update(t, v, true)
	want := []rfbtest.Rect{{Rectangle: image.Rect(0, 0, 200, 90), Encoding: rfbtest.CopyRect}, {Rectangle: image.Rect(0, 90, 200, 100), Encoding: rfbtest.Raw}}
	if diff := cmp.Diff(want, u.Rects); diff != "" {
		t.Errorf("update (-want +got):\n%s", diff)
	}
	if !bytes.Equal(f.Snapshot().Pix, v.Screen.Pix) {
		t.Error("after a move the viewer shows something else")
	}

	plain := pane(t, rfb.Config{Framebuffer: f}, rfbtest.Raw)
	update(t, plain, false)
	scroll(f, 10, color.RGBA{4, 5, 6, 255})
	if u := update(t, plain, true); len(u.Rects) != 1 || u.Rects[0].Encoding != rfbtest.Raw || !bytes.Equal(f.Snapshot().Pix, plain.Screen.Pix) {
		t.Errorf("a viewer without CopyRect got %v", u.Rects)
	}
}

// TestMovesAmongChanges: whatever order moves, changes and partial requests come in, the viewer ends with the server's pixels.
func TestMovesAmongChanges(t *testing.T) {
	const width, height = 120, 90
	random := rand.New(rand.NewPCG(7, 8))
	f := rfb.NewFramebuffer(width, height)
	v := pane(t, rfb.Config{Framebuffer: f}, rfbtest.ZRLE, rfbtest.CopyRect)
	update(t, v, false)
	somewhere := func(size image.Point) image.Rectangle {
		at := image.Pt(random.IntN(width-size.X), random.IntN(height-size.Y))
		return image.Rectangle{at, at.Add(size)}
	}
	moves := 0
	for round := range 100 {
		for range random.IntN(5) {
			size := image.Pt(1+random.IntN(60), 1+random.IntN(60))
			to, from := somewhere(size), somewhere(size).Min
			if random.IntN(2) == 0 {
				show(f, draw(size, func(_, _ int, _ *rand.Rand) color.RGBA { return gray(random.IntN(256)) }), to.Min)
				continue
			}
			f.Draw(func(img *image.RGBA, changes rfb.Changes) {
				before := *img
				before.Pix = bytes.Clone(img.Pix)
				for y := range size.Y {
					copy(img.Pix[img.PixOffset(to.Min.X, to.Min.Y+y):][:4*size.X], before.Pix[before.PixOffset(from.X, from.Y+y):])
				}
				changes.Move(to, from)
			})
		}
		r := v.Screen.Bounds()
		if random.IntN(3) > 0 {
			r = somewhere(image.Pt(100, 80))
		}
		show(f, draw(image.Pt(1, 1), func(_, _ int, _ *rand.Rand) color.RGBA { return gray(random.IntN(256)) }), r.Min) // so that there is something to tell
		if err := v.Request(true, r); err != nil {
			t.Fatal(err)
		}
		u, _, err := v.Await()
		if err != nil {
			t.Fatal(err)
		}
		for _, rect := range u.Rects {
			if rect.Encoding == rfbtest.CopyRect {
				moves++
			}
		}
		if round%10 == 9 {
			show(f, draw(image.Pt(1, 1), pictures["noise"]), image.Point{})
			update(t, v, true)
			if !bytes.Equal(f.Snapshot().Pix, v.Screen.Pix) {
				t.Fatalf("after %d rounds the viewer shows something else", round+1)
			}
		}
	}
	if moves == 0 {
		t.Error("no move was sent as one")
	}
}

// readHook is a connection whose reader is asked before each Read.
type readHook struct {
	net.Conn
	before func()
}

func (h *readHook) Read(b []byte) (int, error) { h.before(); return h.Conn.Read(b) }

// TestMoveWithinAnUpdate: what moves while a large update is on its way to a slow viewer is not copied there from pixels that have moved already.
func TestMoveWithinAnUpdate(t *testing.T) {
	f := rfb.NewFramebuffer(1000, 800) // 3 MB as Raw, of which a socket of this kind holds little
	show(f, draw(image.Pt(1000, 800), pictures["noise"]), image.Point{})
	s, err := rfb.NewServer(rfb.Config{Framebuffer: f})
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, s, "unix", filepath.Join(t.TempDir(), "rfb"))
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	conn := &readHook{c, func() {}}
	v, err := rfbtest.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.SetEncodings(rfbtest.Raw, rfbtest.CopyRect); err != nil {
		t.Fatal(err)
	}
	reads := 0
	conn.before = func() {
		if reads++; reads == 3 { // the update has begun to come
			scroll(f, 10, color.RGBA{1, 2, 3, 255})
		}
	}
	update(t, v, false)
	update(t, v, true)
	if !bytes.Equal(f.Snapshot().Pix, v.Screen.Pix) {
		t.Error("the viewer shows something else")
	}
}

func TestCursor(t *testing.T) {
	shape := image.NewRGBA(image.Rect(0, 0, 11, 3))
	shape.SetRGBA(2, 1, color.RGBA{255, 128, 64, 255})
	shape.SetRGBA(10, 2, color.RGBA{9, 9, 9, 255})
	cfg := rfb.Config{Framebuffer: rfb.NewFramebuffer(10, 10), Cursor: &rfb.Cursor{Image: shape, Hotspot: image.Pt(2, 1)}}
	v := pane(t, cfg, rfbtest.Cursor)
	if got := encodingsOf(update(t, v, false)); !cmp.Equal(got, []int{rfbtest.Cursor, rfbtest.Raw}) {
		t.Fatalf("update in encodings %v", got)
	}
	if diff := cmp.Diff(shape, v.Cursor); diff != "" || v.Hot != image.Pt(2, 1) {
		t.Errorf("cursor with hotspot %v (-want +got):\n%s", v.Hot, diff)
	}
	if got := encodingsOf(update(t, v, false)); !cmp.Equal(got, []int{rfbtest.Raw}) {
		t.Errorf("the update after the cursor's has encodings %v", got)
	}
	for _, bad := range []rfb.Cursor{
		{Image: image.NewRGBA(image.Rect(0, 0, 65, 1))},
		{Image: shape, Hotspot: image.Pt(11, 0)},
	} {
		if _, err := rfb.NewServer(rfb.Config{Framebuffer: cfg.Framebuffer, Cursor: &bad}); err == nil {
			t.Errorf("a cursor of %v with its hotspot at %v was taken", bad.Image.Rect, bad.Hotspot)
		}
	}
}

func TestResize(t *testing.T) {
	for name, encoding := range map[string]int{"DesktopSize": rfbtest.DesktopSize, "ExtendedDesktopSize": rfbtest.ExtendedDesktopSize} {
		t.Run(name, func(t *testing.T) {
			f := rfb.NewFramebuffer(60, 40)
			show(f, draw(image.Pt(60, 40), pictures["gradient"]), image.Point{})
			v := pane(t, rfb.Config{Framebuffer: f}, rfbtest.ZRLE, encoding)
			update(t, v, false)
			for _, size := range []image.Point{{90, 20}, {30, 50}, {60, 40}} {
				f.Resize(size.X, size.Y)
				if got := encodingsOf(update(t, v, true)); !cmp.Equal(got, []int{encoding}) {
					t.Fatalf("update in encodings %v, want the new size alone", got)
				}
				update(t, v, true)
				if v.Screen.Bounds().Size() != size || !bytes.Equal(f.Snapshot().Pix, v.Screen.Pix) {
					t.Errorf("the viewer shows %v or other pixels", v.Screen.Bounds())
				}
			}
		})
	}
	t.Run("neither", func(t *testing.T) {
		f := rfb.NewFramebuffer(60, 40)
		v := pane(t, rfb.Config{Framebuffer: f}, rfbtest.ZRLE)
		update(t, v, false)
		f.Resize(50, 50)
		if err := v.Request(true, v.Screen.Bounds()); err != nil {
			t.Fatal(err)
		}
		if u, _, err := v.Await(); err == nil {
			t.Errorf("a viewer that cannot follow got %v, want the end", u.Rects)
		}
	})
}

// TestSetDesktopSize: the size is the server's, and it says so.
func TestSetDesktopSize(t *testing.T) {
	f := rfb.NewFramebuffer(60, 40)
	v := pane(t, rfb.Config{Framebuffer: f}, rfbtest.Raw, rfbtest.ExtendedDesktopSize)
	update(t, v, false)
	if v.Size != image.Rect(0, 0, 60, 40) {
		t.Errorf("the first answer says %v", v.Size)
	}
	if err := v.SetDesktopSize(100, 100); err != nil {
		t.Fatal(err)
	}
	update(t, v, true)
	const thisViewer, prohibited = 1, 1
	if want := image.Rect(thisViewer, prohibited, thisViewer+60, prohibited+40); v.Size != want {
		t.Errorf("the answer says %v, want %v", v.Size, want)
	}
	if f.Bounds() != image.Rect(0, 0, 60, 40) {
		t.Error("a viewer changed the size")
	}
}

func TestCutText(t *testing.T) {
	s, err := rfb.NewServer(rfb.Config{Framebuffer: rfb.NewFramebuffer(10, 10)})
	if err != nil {
		t.Fatal(err)
	}
	connect := serveOn(t, s)
	for _, v := range []*rfbtest.Viewer{connect(), connect()} {
		update(t, v, false) // it is there
		s.CutText("größe 漢")
		if err := v.Request(false, v.Screen.Bounds()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for len(got) == 0 {
			_, cut, err := v.Await()
			if err != nil {
				t.Fatal(err)
			}
			if got = cut; len(got) == 0 {
				v.Request(false, v.Screen.Bounds())
			}
		}
		if got[0] != "größe ?" {
			t.Errorf("text = %q", got)
		}
	}
}
