package fault_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/agent/ppp"
	"minato/emulator"
	"minato/emulator/ttytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an emulator with one modem and a user of each of its ports; commands are not echoed.
type world struct {
	t     *testing.T
	e     *emulator.Emulator
	modem *emulator.Modem
	at    *ttytest.User
	ppp   *ttytest.User
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, emulator.Config{})
}

func newWorldOf(t *testing.T, cfg emulator.Config) *world {
	t.Helper()
	if os.Getenv("MINATO_TEST_LOG") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	e, stop, err := emulator.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	w := &world{t: t, e: e, modem: e.Modem(0)}
	booted, unsubscribe := w.events(0)
	defer unsubscribe()
	for range e.Modems() {
		booted.await(func(ev emulator.Event) bool { return ev.Type == "boot" && ev.State == "ready" })
	}
	w.at = ttytest.Open(t, w.modem.ATPath())
	w.at.AT("ATE0")
	w.ppp = ttytest.Open(t, w.modem.PPPPath())
	w.ppp.AT("ATE0")
	w.ppp.Registered()
	w.at.AT("AT+CEREG=1;+CGEREP=2") // now nothing comes that was not asked for
	w.ppp.AT(`AT+CGDCONT=1,"IP","soracom.io"`)
	return w
}

func (w *world) inject(name string, params ...string) {
	w.t.Helper()
	p := map[string]string{}
	for i := 0; i < len(params); i += 2 {
		p[params[i]] = params[i+1]
	}
	if err := w.modem.Inject(name, p); err != nil {
		w.t.Fatal(err)
	}
}

// events are what happens.
type events struct {
	t *testing.T
	c chan emulator.Event
}

func (w *world) events(after uint64) (*events, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	ev := &events{w.t, make(chan emulator.Event, 1024)}
	seq := w.e.Events(ctx, after)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range seq {
			ev.c <- e
		}
	}()
	return ev, func() { cancel(); <-done }
}

func (ev *events) await(which func(e emulator.Event) bool) emulator.Event {
	ev.t.Helper()
	deadline := time.After(ttytest.Patience)
	for {
		select {
		case e := <-ev.c:
			if which(e) {
				return e
			}
		case <-deadline:
			ev.t.Fatal("the event does not come")
		}
	}
}

// call dials, and brings a PPP link up.
func (w *world) call() *ttytest.Link {
	w.t.Helper()
	l := w.dial(ppp.Config{})
	l.Await()
	return l
}

// online tells that the network has a session of the first modem.
func (w *world) online() bool { return w.e.Core().Subscribers()[0].Online }

// dial dials, and begins a PPP link.
func (w *world) dial(cfg ppp.Config) *ttytest.Link {
	w.t.Helper()
	if got := w.ppp.AT("ATD*99#"); got != "\r\nCONNECT 150000000\r\n" {
		w.t.Fatalf("dialling gave %q", got)
	}
	cfg.User, cfg.Password = "sora", "sora"
	return w.ppp.PPP(cfg)
}

// hangUp ends a call in good order.
func (w *world) hangUp(l *ttytest.Link) {
	w.t.Helper()
	l.Stop()
	l.End()
	w.ppp.Await("\r\nNO CARRIER\r\n")
}

// recovered holds that the modem is as before once its faults are cleared: a call comes up, and commands are answered as ever.
func (w *world) recovered() {
	w.t.Helper()
	w.modem.Clear()
	if n := len(w.modem.Status().Faults); n != 0 {
		w.t.Errorf("%d faults are active", n)
	}
	w.ppp.Registered()
	if got := w.ppp.AT("AT+CSQ"); got != "\r\n+CSQ: 30,99\r\n\r\nOK\r\n" {
		w.t.Errorf("+CSQ gave %q", got)
	}
	w.hangUp(w.dialUp())
}

func (w *world) dialUp() *ttytest.Link {
	w.t.Helper()
	l := w.dial(ppp.Config{})
	l.Await()
	return l
}
