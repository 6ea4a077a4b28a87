package emulator

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"minato/agent/ppp"
	"minato/emulator/ttytest"
)

// TestListeners: each connection is an AT port of its own, which can dial.
func TestListeners(t *testing.T) {
	name := fmt.Sprintf("abstract:minato-%d-%%d", unix.Getpid())
	e := start(t, Config{Modems: 2, Listen: []string{name, "tcp:127.0.0.1:0"}})
	for n := range 2 {
		list := e.Modem(n).Status().Listen
		if want := strings.Replace(name, "%d", fmt.Sprint(n), 1); len(list) != 2 || list[0] != want || !strings.HasPrefix(list[1], "tcp:127.0.0.1:") {
			t.Fatalf("modem %d listens at %q, want %s", n, list, want)
		}
		for _, at := range []struct{ network, addr string }{{"unix", "@" + list[0]}, {"tcp", strings.TrimPrefix(list[1], "tcp:")}} {
			u := ttytest.Dial(t, at.network, at.addr)
			u.AT("ATE0")
			u.Registered()
			if got := u.AT("AT+CIMI"); !strings.Contains(got, e.Modem(n).Status().IMSI) {
				t.Errorf("%v: +CIMI gave %q", at, got)
			}
			u.AT(`AT+CGDCONT=1,"IP","soracom.io"`)
			if got := u.AT("ATD*99#"); !strings.Contains(got, "CONNECT") {
				t.Errorf("%v: dialling gave %q", at, got)
			}
			l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
			l.Await()
			l.Stop()
			l.End()
			u.Await("\r\nNO CARRIER\r\n")
			u.Close()
		}
	}
}

func TestListenErrors(t *testing.T) {
	for _, tt := range []struct {
		listen string
		modems int
		want   string
	}{
		{"emu0", 1, `listen[0] "emu0": must begin with abstract: or tcp:`},
		{"abstract:", 1, "must be abstract:NAME"},
		{"abstract:a%db%d", 1, "with one %d"},
		{"abstract:a%s", 1, "with one %d"},
		{"abstract:emu", 2, "2 modems cannot share a name"},
		{"abstract:" + strings.Repeat("x", 99), 1, "at most 107 bytes"},
		{"tcp:0.0.0.0:5000", 1, "with a loopback address"},
		{"tcp:localhost", 1, "must be tcp:HOST:PORT"},
		{"tcp:127.0.0.1:65535", 2, "2 modems need ports up to 65536"},
	} {
		t.Run(tt.listen, func(t *testing.T) {
			if _, err := New(Config{Modems: tt.modems, Listen: []string{tt.listen}}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	for _, control := range []string{"0.0.0.0:7070", "192.0.2.1:7070", ":7070", "example.com:7070", "7070"} {
		if _, err := New(Config{Control: control}); err == nil || !strings.Contains(err.Error(), "control "+fmt.Sprintf("%q", control)) {
			t.Errorf("control API on %s: %v", control, err)
		}
	}
	for _, modems := range []int{1, 3} { // a fixed port counts up; a taken one is told
		taken := start(t, Config{Listen: []string{"tcp:127.0.0.1:0"}})
		addr := taken.Modem(0).Status().Listen[0]
		e, err := New(Config{Modems: modems, Listen: []string{addr}})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Run(t.Context()); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("a second emulator on %s: %v", addr, err)
		}
	}
}

func TestRaiseFileLimit(t *testing.T) {
	failed := errors.New("not permitted")
	for _, tt := range []struct {
		name      string
		cur, max  uint64
		set       error
		want      error
		wantLimit uint64
	}{
		{"enough", 1000, 2000, nil, nil, 1000},
		{"raised", 100, 2000, nil, nil, 2000},
		{"too low", 100, 200, nil, ErrTooMany, 100},
		{"refused", 100, 2000, failed, failed, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := unix.Rlimit{Cur: tt.cur, Max: tt.max}
			err := raiseFileLimit(500,
				func(_ int, l *unix.Rlimit) error { *l = now; return nil },
				func(_ int, l *unix.Rlimit) error {
					if tt.set == nil {
						now = *l
					}
					return tt.set
				})
			if !errors.Is(err, tt.want) || uint64(now.Cur) != tt.wantLimit {
				t.Errorf("limit %d, error %v", now.Cur, err)
			}
		})
	}
	if err := raiseFileLimit(1, func(int, *unix.Rlimit) error { return failed }, nil); !errors.Is(err, failed) {
		t.Errorf("an unreadable limit: %v", err)
	}
}
