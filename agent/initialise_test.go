package agent

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"minato/agent/modem"
	"minato/emulator"
)

// A modem that answers later than a try to speak to it lasts is found all the same: what it says late shows that it is there.
func TestSlowModemIsWaitedFor(t *testing.T) {
	e, stop, err := emulator.Start(emulator.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if err := e.Modem(0).Inject("late-reply", map[string]string{"delay": "400ms"}); err != nil {
		t.Fatal(err)
	}
	s, err := openSession(ModemConfig{Port: e.Modem(0).ATPath(), CMUX: "off"}, 1, modem.NewPINGuard(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if id, err := s.identify(ctx, 300*time.Millisecond); err != nil || id.Profile != "quectel" {
		t.Errorf("%+v, %v", id, err)
	}
}
