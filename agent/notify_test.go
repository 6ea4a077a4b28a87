package agent

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

func TestStuckSupervisorStarvesTheWatchdog(t *testing.T) {
	a := &Agent{}
	if a.isStuck() {
		t.Error("stuck before it began")
	}
	a.busyUntil(time.Second)
	if a.isStuck() {
		t.Error("stuck at once")
	}
	a.busyUntil(-2 * stuckAfter)
	if !a.isStuck() {
		t.Error("not stuck")
	}
}
