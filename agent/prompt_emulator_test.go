package agent

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"minato/agent/atline"
	"minato/agent/modem"
	"minato/agent/tty"
	"minato/emulator"
	"minato/emulator/dce"
)

// No modem is left waiting for a message's text, on its port or on a channel: whoever types AT+CMGS is told so at once, and the next command is
// answered. The ESC that a command which was given up brings about is nothing to a modem that asked for no text.
func TestNoModemWaitsForText(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, e *emulator.Emulator, l *atline.Line) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		works := func(after string) {
			t.Helper()
			if info, err := l.Command(ctx, "+CSQ"); err != nil || len(info) != 1 {
				t.Errorf("after %s: %q, %v", after, info, err)
			}
		}
		for mode, cmd := range map[string]string{"+CMGF=1": `+CMGS="09012345678"`, "+CMGF=0": "+CMGS=20"} {
			if _, err := l.Command(ctx, mode); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Command(ctx, cmd); !errors.Is(err, atline.ErrPrompt) {
				t.Errorf("AT%s: %v", cmd, err)
			}
			works("AT" + cmd)
		}
		if err := e.Modem(0).Inject("lost-command", map[string]string{"count": "1"}); err != nil {
			t.Fatal(err)
		}
		soon, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		if _, err := l.Command(soon, "+CSQ"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a lost command: %v", err)
		}
		e.Modem(0).ClearFault("lost-command") // it is of each port
		works("a lost command")
	}
	for _, name := range dce.Personalities() {
		t.Run(name, func(t *testing.T) {
			e, stop, err := emulator.Start(emulator.Config{Dir: t.TempDir(), Personality: name})
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			port, err := tty.Open(tty.Config{Path: e.Modem(0).ATPath()})
			if err != nil {
				t.Fatal(err)
			}
			line := atline.New(port, atline.Config{})
			defer line.Close()
			check(t, e, line)
			x, err := startMultiplex(t.Context(), line, []modem.Multiplex{{Command: "+CMUX=0"}}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if x == nil {
				return // it knows no +CMUX
			}
			channel := atline.New(x.ports[0], atline.Config{})
			check(t, e, channel)
			x.end()
			channel.Close()
		})
	}
}
