package relay

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"minato/relay/relayapi"
)

func TestExtend(t *testing.T) {
	clock := newFakeClock()
	r := startRelay(t, Config{Clock: clock})
	m := r.mapping(false)
	conn := r.opened(m)
	clock.Advance(time.Hour - time.Second)
	extended, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 7200)
	if err != nil {
		t.Fatal(err)
	}
	if want := clock.Now().Add(2 * time.Hour).UnixMilli(); extended.ExpiredTime != want || extended.CreatedTime != m.CreatedTime {
		t.Errorf("extended to %d, want %d", extended.ExpiredTime, want)
	}
	clock.Advance(2*time.Hour - time.Millisecond)
	io.WriteString(conn, "y")
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Errorf("a live connection after an extension: %v", err)
	}
	if _, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 28801); err == nil {
		t.Error("extended beyond 8 hours")
	}
	shorter, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 1)
	if err != nil || len(shorter.Warnings) != 0 && shorter.Warnings[0].Code != "W22" {
		t.Errorf("%+v, %v", shorter, err)
	}
	clock.Advance(time.Second)
	expectCut(t, conn)
	expectPortClosed(t, m)
	if _, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 60); err == nil {
		t.Error("extended an ended mapping")
	}
	entries, _, err := r.AuditLogs(t.Context(), relayapi.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type == relayapi.AuditExtended {
			t.Errorf("Napter's log has %+v", e)
		}
	}
	if list, _, err := r.ConnectionLogs(t.Context(), relayapi.AuditQuery{Type: relayapi.AuditExtended}); err != nil || len(list) != 2 {
		t.Errorf("%d entries EXTENDED, %v", len(list), err)
	}
}

// onLog is a log that calls a function with each message.
type onLog struct {
	slog.Handler
	f func(message string)
}

func (h onLog) Enabled(context.Context, slog.Level) bool { return true }

func (h onLog) Handle(_ context.Context, r slog.Record) error { h.f(r.Message); return nil }

func (h onLog) WithAttrs([]slog.Attr) slog.Handler { return h }

// The end comes while an extension that was asked for before it is being written: the mapping goes on.
func TestExtendAtTheEnd(t *testing.T) {
	clock := newFakeClock()
	late := make(chan struct{})
	r := startRelay(t, Config{Clock: clock, Logger: slog.New(onLog{slog.DiscardHandler, func(message string) {
		if message != "mapping extended" { // stored, and not in effect yet
			return
		}
		go func() { // ends when the timer of the old end has been heard
			defer close(late)
			clock.Advance(time.Second)
		}()
		select {
		case <-late: // an expiry that does not wait would be over now
		case <-time.After(100 * time.Millisecond):
		}
	}})})
	m := r.mapping(false)
	conn := r.opened(m)
	clock.Advance(time.Hour - time.Millisecond)
	if _, err := r.ExtendPortMapping(t.Context(), m.IPAddress, m.Port, 60); err != nil {
		t.Fatal(err)
	}
	<-late
	io.WriteString(conn, "y")
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Errorf("a live connection after an extension: %v", err)
	}
	r.opened(m)
	clock.Advance(time.Minute)
	expectCut(t, conn)
	r.awaitAudit(relayapi.AuditExpired)
}
