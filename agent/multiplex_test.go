package agent

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"minato/agent/modem"
	"minato/agent/tty"
)

// A modem with one port can be asked while its link is up, and is left in command mode.
func TestOneMultiplexedPort(t *testing.T) {
	f := newFakeModem(t, nil)
	f.cmux = true
	cfg := config(f.path, echoServer(t))
	r := start(t, cfg, fast)
	<-r.Ready()
	echo(t, f)
	for i := f.count("+CEREG?"); f.count("+CEREG?") < i+3; {
		<-time.After(time.Millisecond)
	}
	f.set("+CGACT?", "+CGACT: 1,0|OK") // found by asking, on the other channel
	if d := <-r.pauses; d != 0 {
		t.Errorf("paused %v", d)
	}
	r.resume <- time.Time{}
	awaitState(t, r, StateOnline, 2)
	echo(t, f)
	r.stop()
	if w := r.log.warnings(); len(w) != 1 || !strings.Contains(w[0], "not active") {
		t.Errorf("warnings %q", w)
	}
	s, err := openSession(ModemConfig{Port: f.path}, 1, modem.NewPINGuard(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.modem.Init(t.Context()); err != nil {
		t.Errorf("the modem is not in command mode: %v", err)
	}
}

// The status socket may ask while the supervisor begins to multiplex.
func TestCommandWhileTheMultiplexerBegins(t *testing.T) {
	f := newFakeModem(t, nil)
	f.cmux = true
	a, err := New(config(f.path, "127.0.0.1:9"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := openSession(ModemConfig{Port: f.path}, 1, modem.NewPINGuard(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a.setSession(s)
	defer a.closeSession()
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		if err := s.multiplex(t.Context(), time.Second); err != nil {
			t.Error(err)
		}
	}()
	ask := func() int {
		w := httptest.NewRecorder()
		a.handleAT(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/at", strings.NewReader(`{"command": "+CSQ"}`)))
		return w.Code
	}
	for began := false; !began && ask() != http.StatusConflict; { // until the port is the multiplexer's
		select {
		case <-begun:
			began = true
		default:
		}
	}
	for ask() == http.StatusConflict { // until the channel answers
	}
	<-begun
}

// A process that was killed left the modem in the multiplexer.
func TestModemLeftMultiplexing(t *testing.T) {
	t.Parallel()
	f := newFakeModem(t, nil)
	f.cmux = true
	killed, err := openSession(ModemConfig{Port: f.path}, 1, modem.NewPINGuard(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := killed.raw.Handover(t.Context(), "+CMUX=0,0,5,127"); err != nil {
		t.Fatal(err)
	}
	killed.close()
	r := start(t, config(f.path, echoServer(t)), func(a *Agent) { a.timing.probe = 500 * time.Millisecond })
	select {
	case <-r.Ready():
	case <-r.pauses:
		t.Fatalf("%+v", r.Status().Failure)
	}
	echo(t, f)
}

// agreesToMultiplex is an answer to AT+CMUX behind which nothing is: the modem stays with AT.
var agreesToMultiplex = map[string]string{"+CMUX=0,0,5,127,10,3,30,10,2": "OK", "+CFUN=1,1": "OK"}

// A modem that agrees to multiplex and does not is used as it is.
func TestModemThatDoesNotMultiplex(t *testing.T) {
	t.Parallel()
	f := newFakeModem(t, agreesToMultiplex)
	r := start(t, config(f.path, echoServer(t)))
	select {
	case <-r.Ready():
	case <-r.pauses:
		t.Fatalf("%+v", r.Status().Failure)
	}
	echo(t, f)
	r.stop()
	if w := r.log.warnings(); len(w) != 1 || !strings.Contains(w[0], "does not multiplex") {
		t.Errorf("warnings %q", w)
	}
}

// With cmux: on it is restarted, which needs no multiplexer; one that has none is somebody's to configure.
func TestMultiplexerIsRequired(t *testing.T) {
	t.Parallel()
	f := newFakeModem(t, agreesToMultiplex)
	cfg := config(f.path, "127.0.0.1:9")
	cfg.Modem.CMUX = "on"
	r := start(t, cfg)
	<-r.pauses
	if got := r.Status().Failure; got.Code != NoModem || got.Class != ClassReset || !strings.Contains(got.Hint, "modem.cmux") || !strings.Contains(got.Message, "does not multiplex") {
		t.Errorf("%+v", got)
	}
	r.resume <- time.Time{}
	<-r.pauses
	if n := f.count("+CFUN=1,1"); n != 1 || r.Status().Cures["reset"] != 1 {
		t.Errorf("restarted %d times, counted %v", n, r.Status().Cures)
	}
	r.stop()

	f = newFakeModem(t, nil)
	cfg.Modem.Port = f.path
	r = start(t, cfg)
	if d := <-r.pauses; d != 4*time.Second {
		t.Errorf("paused %v", d)
	}
	if got := r.Status().Failure; got.Class != ClassPerson || !strings.Contains(got.Hint, "modem.cmux") || !strings.Contains(got.Message, "refuses every AT+CMUX") {
		t.Errorf("%+v", got)
	}
}

func TestAutoPortNeedsAModem(t *testing.T) {
	none := func(which string) (tty.USBModem, error) { return tty.Choose(fstest.MapFS{}, which) }
	_, err := openSession(ModemConfig{Port: "auto", USB: "2c7c:0125", findUSB: none}, 1, modem.NewPINGuard(nil), slog.New(slog.DiscardHandler))
	f := fail(StatePort, err)
	if f.Code != NoModem || !strings.Contains(f.Error(), "2c7c:0125") || !strings.Contains(f.Hint, "modems") {
		t.Errorf("%v, hint %q", f, f.Hint)
	}
}
