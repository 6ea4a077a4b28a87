package agent

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minato/targets"
)

func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1000)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, err := l.Read(b)
			if err != nil {
				return
			}
			for line := range strings.SplitSeq(string(b[:n]), "\n") {
				got <- line
			}
		}
	}()
	await := func(want string) {
		t.Helper()
		for {
			select {
			case line := <-got:
				if strings.HasPrefix(line, want) {
					return
				}
			case <-t.Context().Done():
				t.Fatalf("never %q", want)
			}
		}
	}
	f := newFakeModem(t, nil)
	cfg := config(f.path, echoServer(t))
	cfg.NotifySocket, cfg.Watchdog = path, 100*time.Millisecond
	r := start(t, cfg)
	await("READY=1")
	<-r.Ready()
	await("STATUS=online, 10.128.0.7")
	await("WATCHDOG=1")
	r.stop()
	await("STOPPING=1")
	l.Close()
	<-done
}

// A socket that is not there yet is tried again.
func TestNotifyGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	f := newFakeModem(t, nil)
	cfg := config(f.path, echoServer(t))
	cfg.NotifySocket, cfg.Watchdog = path, 100*time.Millisecond
	r := start(t, cfg)
	r.says(t, "systemd cannot be told")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := make([]byte, 4096)
	for _, want := range []string{"READY=1", "WATCHDOG=1"} {
		for got := ""; got != want; {
			n, err := l.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			got = string(b[:n])
		}
	}
}

func TestStuckSupervisorStarvesTheWatchdog(t *testing.T) {
	a := &Agent{}
	if a.isStuck() {
		t.Error("stuck before it began")
	}
	a.busyUntil(time.Second)
	if a.isStuck() {
		t.Error("stuck at once")
	}
	if due := time.Duration(a.due.Load()); due > time.Since(processStart)+time.Second+stuckAfter {
		t.Errorf("due after %v: that is a date, which may be set while the agent runs", due)
	}
	a.busyUntil(-2 * stuckAfter)
	if !a.isStuck() {
		t.Error("not stuck")
	}
}

// A service that stays when the link has ended holds the supervisor, and the watchdog learns of it.
func TestLinkThatDoesNotEndStarvesTheWatchdog(t *testing.T) {
	f := newFakeModem(t, nil)
	stays := stayingService(make(chan struct{}))
	cfg := config(f.path, "")
	cfg.Services[0].Target, cfg.Lookup = "builtin:http", func(string) targets.Service { return stays }
	r := start(t, cfg)
	<-r.Ready()
	if due := r.due.Load(); due != 0 {
		t.Errorf("due by %d while the link is up", due)
	}
	f.drop()
	await(t, func() bool { return r.due.Load() != 0 })
	close(stays)
}

type stayingService chan struct{}

func (s stayingService) Serve(context.Context, net.Listener) error { <-s; return nil }
