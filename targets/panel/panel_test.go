package panel

import (
	"bufio"
	"bytes"
	"context"
	"image"
	"image/draw"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"minato/targets/plc"
	"minato/targets/rfb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPanel(t *testing.T, plant *plc.Plant) *Panel {
	t.Helper()
	start := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	p, err := New(Config{Name: "plant", Plant: plant, Signal: func() Signal { return Signal{3, "-97 dBm"} }, Now: func() time.Time { return start.Add(plant.Values().Uptime) }})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDamageCoversChanges: every pixel that differs was reported, and what is reported stays small.
func TestDamageCoversChanges(t *testing.T) {
	plant := plc.New(plc.Config{Seed: 5})
	p := newPanel(t, plant)
	const steps = 300
	total, moves := 0, 0
	before := p.framebuffer.Snapshot()
	for i := range steps {
		switch i {
		case 60:
			plant.SetValve(0)
		case 100:
			plant.SetSetpoint(100)
		case 180:
			plant.SetValve(100)
		case 200:
			plant.SetPump(false)
		case 240, 242, 243, 244, 245:
			p.OnKey(rfb.Keysym('a'+i%26), true)
			p.OnKey(rfb.KeyReturn, true)
		}
		for range 5 {
			plant.Step()
		}
		var reported []image.Rectangle
		p.mu.Lock()
		s := state{values: plant.Values(), clock: p.cfg.Now(), text: slices.Clone(p.text), pressed: p.pressed}
		p.mu.Unlock()
		s.history, s.seconds = plant.History()
		p.framebuffer.Draw(func(img *image.RGBA, _ rfb.Changes) {
			c := &canvas{
				img: img, changed: func(r image.Rectangle) { reported = append(reported, r) },
				moved: func(to image.Rectangle, from image.Point) {
					moves++
					was := image.NewRGBA(before.Rect)
					copy(was.Pix, before.Pix)
					draw.Draw(before, to, was, from, draw.Src)
				},
			}
			for _, w := range p.widgets {
				w.draw(c, &s)
			}
		})
		after := p.framebuffer.Snapshot()
		for _, r := range reported {
			r = r.Intersect(after.Bounds())
			total += r.Dx() * r.Dy()
			copyRect(before, after, r)
		}
		if !bytes.Equal(before.Pix, after.Pix) {
			t.Fatalf("step %d changed pixels outside of what it reported", i)
		}
		before = after
	}
	if moves == 0 {
		t.Error("a text that runs over is not scrolled")
	}
	if perStep := total / steps; perStep > 10_000 {
		t.Errorf("%d pixels reported per second, want at most 10000", perStep)
	}
}

func copyRect(dst, src *image.RGBA, r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		from := src.PixOffset(r.Min.X, y)
		copy(dst.Pix[from:][:4*r.Dx()], src.Pix[from:])
	}
}

func TestEdit(t *testing.T) {
	tests := []struct {
		name string
		keys []rfb.Keysym
		want string
	}{
		{"characters", []rfb.Keysym{'a', 0xe9, 0x20ac, 0xffb5}, "aé€5"},
		{"backspace", []rfb.Keysym{'a', 'b', rfb.KeyBackSpace}, "a"},
		{"backspace on nothing", []rfb.Keysym{rfb.KeyBackSpace}, ""},
		{"enter", []rfb.Keysym{'a', rfb.KeyReturn, 'b', rfb.KeyPadEnter}, "a\nb\n"},
		{"escape", []rfb.Keysym{'a', rfb.KeyEscape, 'b'}, "b"},
		{"modifiers", []rfb.Keysym{0xffe1, 'A', 0xffe3}, "A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var text []rune
			for _, k := range tt.keys {
				text = edit(text, k)
			}
			if got := string(text); got != tt.want {
				t.Errorf("text = %q, want %q", got, tt.want)
			}
		})
	}
	var text []rune
	for range 10 * maxText {
		text = edit(text, 'x')
	}
	if len(text) != maxText {
		t.Errorf("%d characters kept, want %d", len(text), maxText)
	}
}

func TestWrap(t *testing.T) {
	full := strings.Repeat("x", entryColumns)
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"_"}},
		{"a word", "ab", []string{"ab_"}},
		{"after enter", "ab\n", []string{"ab", "_"}},
		{"full row", full, []string{full, "_"}},
		{"the last rows", "1\n2\n3\n4", []string{"2", "3", "4_"}},
		{"an empty row", "1\n\n2", []string{"1", "", "2_"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for row := range slices.Chunk(wrap([]rune(tt.text)), entryColumns) {
				got = append(got, strings.TrimRight(string(row), " "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestButtons(t *testing.T) {
	plant := plc.New(plc.Config{})
	p := newPanel(t, plant)
	pump, automatic := buttons[0].area.Min.Add(image.Pt(5, 5)), buttons[1].area.Min.Add(image.Pt(5, 5))
	click := func(down, up image.Point) {
		p.OnPointer(down.X, down.Y, 0)
		p.OnPointer(down.X, down.Y, 1)
		p.OnPointer(up.X, up.Y, 1)
		p.OnPointer(up.X, up.Y, 0)
	}
	click(pump, pump)
	if v := plant.Values(); !v.Pump || v.Automatic {
		t.Errorf("after a click on the pump: %+v, want it on and by hand", v)
	}
	click(pump, image.Pt(1, 1))
	click(image.Pt(1, 1), pump)
	if v := plant.Values(); !v.Pump {
		t.Error("half a click switched the pump")
	}
	click(automatic, automatic)
	if v := plant.Values(); !v.Automatic {
		t.Error("a click did not give the pump to the controller")
	}
	plant.SetValve(0)
	plant.SetSetpoint(100)
	for range 1000 {
		plant.Step()
	}
	click(pump, pump)
	if p.message == "" {
		t.Error("no message although the tank is full")
	}
}

// TestWatching: a viewer sees what it types, and Run ends with its context.
func TestWatching(t *testing.T) {
	plant := plc.New(plc.Config{})
	p := newPanel(t, plant)
	server, err := rfb.NewServer(rfb.Config{Framebuffer: p.Framebuffer(), OnKey: p.OnKey, OnPointer: p.OnPointer})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ends := make(chan error, 2)
	go func() { ends <- p.Run(ctx) }()
	go func() { ends <- server.Serve(ctx, l) }()

	c, err := net.DialTimeout("tcp", l.Addr().String(), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(60 * time.Second))
	r := bufio.NewReader(c)
	c.Write([]byte("RFB 003.003\n\x01"))
	io.CopyN(io.Discard, r, 12+4+24) // version, security, ServerInit with an empty name
	request := "\x03\x01\x00\x00\x00\x00\x03\x20\x02\x58"
	key := "\x04\x01\x00\x00\x00\x00\x00W"
	c.Write([]byte(request + key))
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil || head[0] != 0 || head[3] == 0 {
		t.Errorf("update = %x, %v", head, err)
	}
	cancel()
	for range 2 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	if p.text[0] != 'W' {
		t.Errorf("text = %q", string(p.text))
	}
}

func TestClipboard(t *testing.T) {
	p := newPanel(t, plc.New(plc.Config{}))
	var copied []string
	p.OnCopy(func(text string) { copied = append(copied, text) })
	push := func(label string) {
		t.Helper()
		for _, b := range buttons {
			if b.lit == nil && b.label(nil) == label {
				at := b.area.Min.Add(image.Pt(3, 3))
				p.OnPointer(at.X, at.Y, 1)
				p.OnPointer(at.X, at.Y, 0)
			}
		}
	}
	p.OnKey('a', true)
	p.OnCutText("b\r\nc\td\x00\x1be")
	push("PASTE")
	if got, want := string(p.text), "ab\nc de"; got != want {
		t.Errorf("text = %q, want %q", got, want)
	}
	push("COPY")
	push("CLEAR")
	if len(p.text) != 0 || !slices.Equal(copied, []string{"ab\nc de"}) {
		t.Errorf("text = %q, copied %q", string(p.text), copied)
	}
	push("PASTE")
	if got, want := string(p.text), "ab\nc de"; got != want {
		t.Errorf("pasted %q, want what was copied here", got)
	}
}

// TestCursor: its tip is its hotspot.
func TestCursor(t *testing.T) {
	c := Cursor()
	if c.Hotspot != (image.Point{}) || c.Image.RGBAAt(1, 3).A == 0 || c.Image.RGBAAt(17, 0).A != 0 {
		t.Errorf("the arrow does not point to its top left")
	}
}
