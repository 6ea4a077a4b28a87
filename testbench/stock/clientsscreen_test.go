package stock

import (
	"context"
	"fmt"
	"image"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"minato/targets/panel"
	"minato/testbench/check"
)

// testViewer: TigerVNC's viewer, in either encoding, shows the pixels that the device drew, which go-vnc takes as Raw beside it, and what
// is typed into it appears on both.
func testViewer(t *testing.T, s *system) {
	for _, tt := range []struct{ option, address, encoding string }{
		{"ON", s.tunnel[portVNC], "ZRLE"},
		{"OFF", s.off[portVNC].Endpoint, "Tight"},
	} {
		t.Run(tt.option+" "+tt.encoding, func(t *testing.T) {
			raw, err := check.DialVNC(s.ctx, s.off[portVNC].Dialer(), check.VNCOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			d := startDisplay(t, 1000, 700)
			host, port, err := net.SplitHostPort(tt.address)
			if err != nil {
				t.Fatal(err)
			}
			chosen := "encoding=" + tt.encoding
			before := strings.Count(s.log.String(), chosen)
			start(t, d.on(s.command(t, "xtigervncviewer", "tigervnc-viewer", "-SecurityTypes", "None", "-PreferredEncoding", tt.encoding,
				"-AutoSelect=0", "-NoJPEG", "-FullColor", "-RemoteResize=0", "-Shared", "-DotWhenNoCursor=0", host+"::"+port)))
			await(t, s.ctx, "the viewer to take "+tt.encoding, func() (bool, error) {
				return strings.Count(s.log.String(), chosen) > before, nil
			})
			window := d.window(t, s.ctx, raw.Name(), raw.Bounds().Size())
			empty := raw.Screen()
			text := "typed into TigerVNC by " + tt.encoding
			d.xdotool(t, s.ctx, "windowfocus", "--sync", window.id)
			d.xdotool(t, s.ctx, "type", "--delay", "2", text)
			typed, err := raw.Await(s.ctx, func(screen *image.RGBA) bool { return cells(empty, screen) > len(text) })
			if err != nil {
				t.Fatalf("the typed text does not appear on the device: %v", err)
			}
			// The plant moves, and the two viewers are not at the same moment of it: a pixel that has changed since the beginning says nothing.
			moved := newMoved(typed)
			await(t, s.ctx, "the viewer to show what the device drew", func() (bool, error) {
				shot := d.screenshot(t).SubImage(window.area).(*image.RGBA)
				moved.add(raw.Screen())
				if shot.Rect.Size() != typed.Rect.Size() {
					return false, fmt.Errorf("the window has %v", shot.Rect)
				}
				compared, different := differing(typed, shot, moved.steady)
				if most := typed.Rect.Dx() * typed.Rect.Dy(); compared < 8*most/10 {
					t.Fatalf("%d of %d pixels are left to compare", compared, most)
				}
				if different > 0 {
					return false, fmt.Errorf("%d pixels compared, %d differ", compared, different)
				}
				return true, nil
			})
			// The same text from another viewer looks the same, and deleting as many characters leaves nothing.
			for _, keys := range []struct {
				text string
				want *image.RGBA
			}{{strings.Repeat("\b", len(text)), empty}, {text, typed}, {strings.Repeat("\b", len(text)), empty}} {
				if err := raw.Type(s.ctx, keys.text); err != nil {
					t.Fatal(err)
				}
				if _, err := raw.Await(s.ctx, func(screen *image.RGBA) bool { return cells(keys.want, screen) == 0 }); err != nil {
					t.Fatalf("after typing %q: %v", keys.text, err)
				}
			}
		})
	}
}

func all(int, int) bool { return true }

// moved is which pixels of a screen have changed since its first picture.
type moved struct {
	first   *image.RGBA
	changed []bool
}

func newMoved(first *image.RGBA) *moved {
	return &moved{first, make([]bool, first.Rect.Dx()*first.Rect.Dy())}
}

func (m *moved) add(now *image.RGBA) {
	for i := range m.changed {
		m.changed[i] = m.changed[i] || [4]byte(m.first.Pix[4*i:]) != [4]byte(now.Pix[4*i:])
	}
}

func (m *moved) steady(x, y int) bool { return !m.changed[y*m.first.Rect.Dx()+x] }

// cells is how many columns of characters of the text box two screens differ in, from the first to the last: a text of n characters and
// the cursor behind it are n+1.
func cells(a, b *image.RGBA) int {
	const width = 11 // of a character
	first, last := -1, -1
	for x := panel.EntryArea.Min.X; x < panel.EntryArea.Max.X; x++ {
		for y := panel.EntryArea.Min.Y; y < panel.EntryArea.Max.Y; y++ {
			if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
				if first < 0 {
					first = x
				}
				last = x
				break
			}
		}
	}
	if first < 0 {
		return 0
	}
	return (last-first)/width + 1
}

// window of a display.
type window struct {
	id   string
	area image.Rectangle
}

var geometry = regexp.MustCompile(`Position: (\d+),(\d+)[\s\S]*Geometry: (\d+)x(\d+)`)

// window waits for a window by a part of its name and its size.
func (d *display) window(t *testing.T, ctx context.Context, name string, size image.Point) window {
	t.Helper()
	xdotool := tool(t, "xdotool", "xdotool")
	var w window
	await(t, ctx, fmt.Sprintf("a window %q of %v", name, size), func() (bool, error) {
		out, err := d.on(exec.CommandContext(ctx, xdotool, "search", "--onlyvisible", "--name", regexp.QuoteMeta(name))).Output()
		if err != nil {
			return false, fmt.Errorf("xdotool search: %w", err)
		}
		for id := range strings.FieldsSeq(string(out)) {
			out, err := d.on(exec.CommandContext(ctx, xdotool, "getwindowgeometry", id)).Output()
			m := geometry.FindStringSubmatch(string(out))
			if err != nil || m == nil {
				return false, fmt.Errorf("xdotool getwindowgeometry: %q, %w", out, err)
			}
			var n [4]int
			for i := range n {
				if n[i], err = strconv.Atoi(m[1+i]); err != nil {
					return false, err
				}
			}
			w = window{id, image.Rect(n[0], n[1], n[0]+n[2], n[1]+n[3])}
			if w.area.Size() == size {
				return true, nil
			}
		}
		return false, fmt.Errorf("the windows are %q", out)
	})
	return w
}

func (d *display) xdotool(t *testing.T, ctx context.Context, args ...string) {
	t.Helper()
	output(t, d.on(exec.CommandContext(ctx, tool(t, "xdotool", "xdotool"), args...)))
}
