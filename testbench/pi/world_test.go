//go:build pi

package pi

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minato/emulator"
	"minato/testbench/env"
	"minato/testbench/guest"
)

// world is the device, and on this machine the emulator whose modem it has, and the relay.
type world struct {
	*testing.T
	*env.Env
	ctx    context.Context
	device *guest.Guest
	story  io.Writer // the transcript
}

// patience bounds the whole story; a machine with nothing else to do takes a third of it.
const patience = 14 * time.Minute

// newWorld starts emulator and relay on this machine. The modem's SIM has this PIN.
func newWorld(t *testing.T, pin string) *world {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("not within %s", patience))
	t.Cleanup(cancel)
	if err := os.MkdirAll(*out, 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(*out, "transcript.txt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	dir, err := os.MkdirTemp("", "pi-") // whose name leaves room for a socket in it: sun_path has 108 octets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	e, err := env.Start(ctx, env.Config{Dir: dir, NoAgent: true, Emulator: func(c *emulator.Config) { c.Cards = []emulator.Card{{PIN: pin}} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{T: t, Env: e, ctx: ctx, story: io.MultiWriter(os.Stdout, file)}
}

// boot starts the device from its disk. Its UART leads to the modem.
func (w *world) boot(s system) {
	w.Helper()
	began := time.Now()
	device, err := guest.Start(w.ctx, guest.Config{
		Image: s.start, Drive: s.disk, Append: "root=/dev/vda rw", Memory: 512,
		Serial: []string{filepath.Join(filepath.Dir(w.Address.AT), "at.sock")},
		Logger: slog.New(slog.NewTextHandler(w.story, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: consoleOnly})),
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { device.Close() })
	w.device = device
	w.tell("the device takes commands %s after it was switched on", time.Since(began).Round(time.Second))
}

// consoleOnly leaves of the console's lines what the guest has printed.
func consoleOnly(_ []string, a slog.Attr) slog.Attr {
	if a.Key == "line" {
		a.Key = "console"
		return a
	}
	return slog.Attr{}
}

// chapter begins a part of the transcript.
func (w *world) chapter(title string) { fmt.Fprintf(w.story, "\n== %s\n", title) }

// tell adds a line about this machine to the transcript.
func (w *world) tell(format string, args ...any) {
	fmt.Fprintf(w.story, "-- "+format+"\n", args...)
}

// sh runs a script on the device that must succeed, and shows it.
func (w *world) sh(script string) string {
	w.Helper()
	output, exit := w.try(script)
	if exit != 0 {
		w.Fatalf("on the device, %q: exit status %d", script, exit)
	}
	return output
}

// try runs a script on the device, and shows it.
func (w *world) try(script string) (string, int) {
	w.Helper()
	fmt.Fprintf(w.story, "raspberrypi# %s\n", script)
	output, exit := w.quietly(script)
	fmt.Fprintln(w.story, output)
	if exit != 0 {
		fmt.Fprintf(w.story, "(exit status %d)\n", exit)
	}
	return output, exit
}

// quietly runs a script on the device.
func (w *world) quietly(script string) (string, int) {
	w.Helper()
	output, exit, err := w.device.Exec(w.ctx, "exec 2>&1\n"+script)
	if err != nil {
		w.Fatal(err)
	}
	return strings.TrimSpace(output), exit
}

// awaitState waits until the agent's own line on its state, as systemd shows it, begins like this.
func (w *world) awaitState(state string) { w.Helper(); w.awaitProperty("StatusText", state) }

// awaitProperty waits until a property of the unit begins like this.
func (w *world) awaitProperty(name, value string) {
	w.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute) // what the supervisor allows itself, and the emulation's slowness
	defer cancel()
	var now string
	err := env.Await(ctx, "the unit's "+name+" to be "+value, func() (bool, error) {
		now, _ = w.quietly("systemctl show --property=" + name + " --value minato-agent")
		return strings.HasPrefix(now, value), nil
	})
	if err != nil {
		w.try("systemctl status --no-pager --lines=40 --full minato-agent")
		w.Fatalf("%v; it is %q", err, now)
	}
	w.tell("after %s the unit's %s is: %s", time.Since(began).Round(100*time.Millisecond), name, now)
}

// keepImage keeps a picture beside the transcript.
func (w *world) keepImage(screen image.Image) error {
	f, err := os.Create(filepath.Join(*out, "screen.png"))
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, screen), f.Close())
}

// want says what a text must hold.
func (w *world) want(what, have string, texts ...string) {
	w.Helper()
	for _, text := range texts {
		if !strings.Contains(have, text) {
			w.Errorf("%s has no %q", what, text)
		}
	}
}
