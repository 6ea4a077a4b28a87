package agent

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minato/agent/ppp"
	"minato/agent/tty"
)

// echo sends a word through the link to the local port and back, with half-close.
func echo(t *testing.T, f *fakeModem) {
	t.Helper()
	c, err := f.dial(7)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "hello")
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "hello" {
		t.Fatalf("echo: %q, %v", got, err)
	}
}

func TestOnlineAndCleanEnd(t *testing.T) {
	f := newFakeModem(t, nil)
	f.auth = ppp.AuthCHAP
	f.admit = func(c ppp.Credentials) error {
		if !c.Matches("sora", "sora") {
			return errNotAdmitted
		}
		return nil
	}
	r := start(t, config(f.path, echoServer(t)), func(a *Agent) { a.timing.terminate = time.Minute }) // the machine may be busy
	<-r.Ready()
	echo(t, f)
	s := r.Status()
	if s.State != StateOnline || s.Address != deviceAddr || s.Failure != nil || len(s.Services) != 1 || !s.Services[0].Up ||
		s.IMSI != "440101234567890" || s.Modem.Profile != "quectel" || s.AcT != "LTE" {
		t.Errorf("status %+v", s)
	}
	t.Logf("from the port to reachable services in %.1f ms", s.SetUp*1000)
	r.stop()
	if w := r.log.warnings(); len(w) != 0 {
		t.Errorf("warnings: %q", w)
	}
	sent := strings.Join(f.commands(), " ")
	if strings.Contains(sent, "+++") {
		t.Errorf("the modem was in command mode, and got +++: %s", sent)
	}
}

// A lost link is dialled again at once, on the port that stays open; the next loss waits.
func TestRedial(t *testing.T) {
	f := newFakeModem(t, nil)
	r := start(t, config(f.path, echoServer(t)))
	<-r.Ready()
	f.drop()
	if d := <-r.pauses; d != 0 {
		t.Errorf("paused %v before the first redial", d)
	}
	r.resume <- time.Time{}
	awaitState(t, r, StateOnline, 2)
	echo(t, f)
	f.drop()
	if d := <-r.pauses; d != time.Second { // half of Min, the jitter being 0
		t.Errorf("paused %v before the second redial", d)
	}
	if s := r.Status(); s.Failure == nil || s.Failure.Code != DeadLink || s.Address.IsValid() {
		t.Errorf("status %+v", s)
	}
	n := 0
	for _, c := range f.commands() {
		if c == "+CGMI" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the modem was identified %d times", n)
	}
}

func awaitState(t *testing.T, r *running, want State, round int) {
	t.Helper()
	for {
		if s := r.Status(); s.State == want && s.Rounds == round {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatalf("state %v", r.Status().State)
		}
	}
}

// Each failure is one line with its code, and says what to do.
func TestFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers map[string]string
		setup   func(*fakeModem, *Config)
		code    Code
		says    []string
		pause   time.Duration
	}{
		{name: "missing port", setup: func(f *fakeModem, c *Config) { c.Modem.Port = "/dev/no-such-modem" },
			code: NoModem, says: []string{"/dev/no-such-modem", "check the cable"}, pause: time.Second},
		{name: "no tty", setup: func(f *fakeModem, c *Config) { c.Modem.Port = os.DevNull }, code: NoModem, says: []string{"not a serial port"}, pause: 4 * time.Second},
		{name: "busy port", setup: func(f *fakeModem, c *Config) { hold(f.t, f.path) }, code: NoModem, says: []string{"held by", "one owner"}, pause: bootPause},
		{name: "no SIM", answers: map[string]string{"+CPIN?": "+CME ERROR: 10"}, code: SIM, says: []string{"no SIM", "insert"}, pause: time.Second},
		{name: "PIN not given", answers: map[string]string{"+CPIN?": "+CPIN: SIM PIN|OK"}, code: SIM, says: []string{"asks for its PIN", "modem.pin"}, pause: 4 * time.Second},
		{name: "wrong PIN", answers: map[string]string{"+CPIN?": "+CPIN: SIM PIN|OK", `+CPIN="9999"`: "+CME ERROR: 16"},
			setup: func(f *fakeModem, c *Config) { c.Modem.PIN = "9999" },
			code:  SIM, says: []string{"refuses the PIN", "3 tries left", "correct modem.pin"}, pause: 4 * time.Second},
		{name: "last try", answers: map[string]string{"+CPIN?": "+CPIN: SIM PIN|OK", `+QPINC="SC"`: `+QPINC: "SC",1,10|OK`},
			setup: func(f *fakeModem, c *Config) { c.Modem.PIN = "9999" }, code: SIM, says: []string{"one try left"}, pause: 4 * time.Second},
		{name: "PUK", answers: map[string]string{"+CPIN?": "+CPIN: SIM PUK|OK"}, code: SIM, says: []string{"PUK"}, pause: 4 * time.Second},
		{name: "denied", answers: map[string]string{"+CEREG?": `+CEREG: 3,3,,,,0,15|OK`}, code: NotRegistered, says: []string{"registration denied", "cause 15"}, pause: 4 * time.Second},
		{name: "unknown APN at the dial", answers: map[string]string{"D*99***1#": "NO CARRIER", "+CEER": "+CEER: Missing or unknown APN, cause 27|OK"},
			code: NoContext, says: []string{"NO CARRIER", "unknown APN", "network.apn"}, pause: 4 * time.Second},
		{name: "unknown APN on PPP", answers: map[string]string{"+CEER": "+CEER: Missing or unknown APN, cause 27|OK"},
			setup: func(f *fakeModem, c *Config) { f.admit = func(ppp.Credentials) error { return errNotAdmitted } },
			code:  NoContext, says: []string{"unknown APN", "network.apn"}, pause: 4 * time.Second},
		{name: "refused by the network after CHAP", answers: map[string]string{"+CEER": "+CEER: User authentication failed, cause 29|OK"},
			setup: func(f *fakeModem, c *Config) {
				f.auth, f.admit = ppp.AuthCHAP, func(ppp.Credentials) error { return errNotAdmitted }
			},
			code: PPPAuth, says: []string{"network.user"}, pause: 4 * time.Second},
		{name: "context refused", answers: map[string]string{`+CGDCONT=1,"IP","soracom.io"`: "+CME ERROR: 3"}, code: NoContext, says: []string{"CME", "network.apn"}, pause: time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeModem(t, tt.answers)
			cfg := config(f.path, "127.0.0.1:9")
			if tt.setup != nil {
				tt.setup(f, &cfg)
			}
			r := start(t, cfg)
			if d := <-r.pauses; d != tt.pause {
				t.Errorf("pause %v, want %v", d, tt.pause)
			}
			if s := r.Status(); s.Failure == nil || s.Failure.Code != tt.code {
				t.Errorf("failure %+v, want code %s", s.Failure, tt.code)
			}
			r.stop()
			w := r.log.warnings()
			if len(w) != 1 {
				t.Fatalf("%d warnings, want 1: %q", len(w), w)
			}
			for _, want := range tt.says {
				if !strings.Contains(w[0], want) {
					t.Errorf("the line does not say %q: %s", want, w[0])
				}
			}
			for _, secret := range []string{"9999", "password=sora"} {
				if strings.Contains(w[0], secret) {
					t.Errorf("the line has a secret: %s", w[0])
				}
			}
		})
	}
}

// hold takes the port, as another program would.
func hold(t *testing.T, path string) {
	p, err := tty.Open(tty.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
}

// The SIM's one wrong PIN is entered once, however many rounds follow.
func TestWrongPINIsEnteredOnce(t *testing.T) {
	f := newFakeModem(t, map[string]string{"+CPIN?": "+CPIN: SIM PIN|OK", `+CPIN="9999"`: "+CME ERROR: 16"})
	cfg := config(f.path, "127.0.0.1:9")
	cfg.Modem.PIN = "9999"
	r := start(t, cfg)
	for range 4 {
		<-r.pauses
		r.resume <- time.Time{}
	}
	<-r.pauses
	n := 0
	for _, c := range f.commands() {
		if strings.HasPrefix(c, "+CPIN=") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the PIN was entered %d times", n)
	}
}

func TestPortGone(t *testing.T) {
	f := newFakeModem(t, nil)
	r := start(t, config(f.path, echoServer(t)))
	<-r.Ready()
	f.master.Close()
	<-r.pauses
	if s := r.Status(); s.Failure == nil || s.Failure.Code != NoModem {
		t.Errorf("failure %+v", s.Failure)
	}
}

func TestStatusSocket(t *testing.T) {
	f := newFakeModem(t, nil)
	cfg := config(f.path, echoServer(t))
	cfg.StatusSocket = filepath.Join(t.TempDir(), "agent.sock")
	r := start(t, cfg)
	<-r.Ready()
	c := NewClient(cfg.StatusSocket)
	s, err := c.Status(t.Context())
	if err != nil || s.State != StateOnline || s.Address != deviceAddr {
		t.Errorf("status %+v, %v", s, err)
	}
	if reply, err := c.AT(t.Context(), "+CSQ"); err != nil || !strings.Contains(reply.Error, "ppp_port") {
		t.Errorf("AT on a port that carries the link: %+v, %v", reply, err)
	}
	if !s.Checks().Passed() {
		t.Errorf("checks %+v", s.Checks())
	}
	r.stop()
	if _, err := os.Stat(cfg.StatusSocket); !os.IsNotExist(err) {
		t.Errorf("the socket stays: %v", err)
	}
}

// TestStatusSocketLater: the link does not wait for a socket that cannot be made, which is told of once and comes when it can be.
func TestStatusSocketLater(t *testing.T) {
	f := newFakeModem(t, nil)
	cfg := config(f.path, echoServer(t))
	dir := filepath.Join(t.TempDir(), "later")
	cfg.StatusSocket = filepath.Join(dir, "agent.sock")
	r := start(t, cfg, func(a *Agent) { a.timing.service = time.Millisecond })
	<-r.Ready()
	echo(t, f)
	r.says(t, "the status socket is not served")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { _, err := NewClient(cfg.StatusSocket).Status(t.Context()); return err == nil })
	r.stop()
	if w := r.log.warnings(); len(w) != 1 {
		t.Errorf("warnings: %q", w)
	}
}

// Two agents would fight for the modem: the second one ends.
func TestStatusSocketOfAnotherAgent(t *testing.T) {
	f := newFakeModem(t, nil)
	cfg := config(f.path, echoServer(t))
	cfg.StatusSocket = filepath.Join(t.TempDir(), "agent.sock")
	r := start(t, cfg)
	<-r.Ready()
	second, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); !errors.Is(err, errOtherAgent) {
		t.Errorf("the second agent: %v", err)
	}
	echo(t, f)
}
