//go:build pi

package pi

import (
	"context"
	"errors"
	"image"
	"net"
	"testing"
	"time"

	"minato/targets/panel"
	"minato/targets/plc"
	"minato/targets/rfb"
	"minato/testbench/check"
	"minato/testbench/env"
)

const (
	deviceName  = "pump-17"
	vncPassword = "minato-8"
	typed       = "Hello, Raspberry Pi"
)

// steady are the parts of the screen that no clock, signal or plant changes: the device's name, and the typed text.
var steady = []image.Rectangle{image.Rect(0, 0, 300, 50), panel.EntryArea}

// readScreen logs in to the device's screen through the relay, types, and holds the pixels against those of the same screen made by this machine.
func (w *world) readScreen(client *env.Client) {
	w.Helper()
	m, err := client.Map(w.ctx, 5900, env.MapOptions{TLS: true})
	if err != nil {
		w.Fatal(err)
	}
	w.tell("port mapping %s, TLS option ON, to port 5900 of SIM %s", m.Endpoint, w.SIM().ID)
	want := expectedScreen(w.ctx, w.T)
	viewer, err := check.DialVNC(w.ctx, m.DialTLS, check.VNCOptions{Password: vncPassword})
	if err != nil {
		w.Fatal(err)
	}
	defer viewer.Close()
	if err := viewer.Type(w.ctx, typed); err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	_, err = viewer.Await(ctx, func(screen *image.RGBA) bool { return differing(screen, want) == 0 })
	screen := viewer.Screen()
	if keepErr := w.keepImage(screen); keepErr != nil {
		w.Error(keepErr)
	}
	if err != nil {
		w.Fatalf("after typing %q %d pixels are not as they should be: %v", typed, differing(screen, want), err)
	}
	pixels := 0
	for _, area := range steady {
		pixels += area.Dx() * area.Dy()
	}
	w.tell("the screen %q of %v pixels was read; after typing %q all %d pixels that stand still are as expected", viewer.Name(), screen.Rect.Size(), typed, pixels)
	if err := m.Delete(w.ctx); err != nil {
		w.Fatal(err)
	}
}

// differing counts the pixels of the steady parts that differ.
func differing(a, b *image.RGBA) int {
	n := 0
	for _, area := range steady {
		for y := area.Min.Y; y < area.Max.Y; y++ {
			for x := area.Min.X; x < area.Max.X; x++ {
				if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
					n++
				}
			}
		}
	}
	return n
}

// expectedScreen is the screen as a viewer on this machine sees it, after the same keys. They are down before the panel draws, so that it shows
// them all at once.
func expectedScreen(ctx context.Context, t *testing.T) *image.RGBA {
	t.Helper()
	screen, err := panel.New(panel.Config{Name: deviceName, Plant: plc.New(plc.Config{})})
	if err != nil {
		t.Fatal(err)
	}
	empty := screen.Framebuffer().Snapshot()
	for _, r := range typed {
		screen.OnKey(rfb.Keysym(r), true)
	}
	server, err := rfb.NewServer(rfb.Config{Name: deviceName, Framebuffer: screen.Framebuffer()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- screen.Run(ctx) }()
	go func() { ended <- server.Serve(ctx, l) }()
	defer func() {
		stop()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Error(err)
		}
	}()
	viewer, err := check.DialVNC(ctx, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}, check.VNCOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer viewer.Close()
	seen, err := viewer.Await(ctx, func(screen *image.RGBA) bool { return differing(screen, empty) != 0 })
	if err != nil {
		t.Fatal(err)
	}
	return seen
}
