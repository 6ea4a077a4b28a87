package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// TestNotify holds the order of what systemd is told, and that a relay that is stuck does not feed the watchdog.
func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	said := make(chan string, 10_000) // the kernel queues ten, and who tells must not wait for this test
	go func() {                       // ends with the socket
		b := make([]byte, 256)
		for {
			n, err := socket.Read(b)
			if err != nil {
				return
			}
			said <- string(b[:n])
		}
	}()
	next := func() string {
		select {
		case s := <-said:
			return s
		case <-time.After(time.Minute):
			t.Fatal("nothing is told")
			return ""
		}
	}
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt((30*time.Millisecond).Microseconds(), 10))

	var stuck atomic.Bool
	var good int // answers of the relay that was not stuck
	asked := make(chan struct{}, 1)
	s := newSystemd(slog.New(slog.DiscardHandler), func(context.Context) error {
		if !stuck.Load() {
			good++
			return nil
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		return errors.New("stuck")
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); s.tell(ctx, ready) }()
	close(ready)
	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := next(); got != want {
			t.Fatalf("told %q, want %q", got, want)
		}
	}
	stuck.Store(true)
	<-asked
	<-asked
	cancel()
	<-done
	fed := 2
	for {
		got := next()
		if got == "STOPPING=1" {
			break
		}
		if got != "WATCHDOG=1" {
			t.Fatalf("told %q at the end", got)
		}
		fed++
	}
	if fed != good {
		t.Errorf("the watchdog was fed %d times, after %d good answers", fed, good)
	}
}

// TestNotifyNobody: without a service manager nothing is said, and the end is not held up.
func TestNotifyNobody(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newSystemd(slog.New(slog.DiscardHandler), func(context.Context) error { t.Error("the watchdog asked"); return nil })
	s.tell(ctx, make(chan struct{}))
	ready := make(chan struct{})
	close(ready)
	s.tell(ctx, ready)
}
