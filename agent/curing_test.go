package agent

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minato/agent/modem"
	"minato/agent/tty"
)

// The ladder is climbed on a modem that never registers: radio, restart by the vendor's command, then the power.
func TestCuresAreTried(t *testing.T) {
	f := newFakeModem(t, map[string]string{"+CEREG?": "+CEREG: 3,2|OK", "+CFUN=4": "OK", "+CFUN=1": "OK", "+CFUN=1,1": "OK"})
	cut := filepath.Join(t.TempDir(), "cut")
	cfg := config(f.path, "127.0.0.1:9")
	cfg.StateDir = t.TempDir()
	cfg.Cures = CuresConfig{Tries: 1, PowerCycle: []string{"/bin/sh", "-c", "echo >" + cut + "; echo done"}}
	clock := time.Unix(1e9, 0)
	r := start(t, cfg, func(a *Agent) {
		a.timing.deadlines[StateRegistered] = 20 * time.Millisecond
		a.ladder.now = func() time.Time { clock = clock.Add(time.Hour); return clock }
	})
	// redial, radio, reset; then the restart's boot, in which nothing counts; the power is in the test of the ladder.
	for range 4 {
		<-r.pauses
		r.resume <- time.Time{}
	}
	<-r.pauses
	sent := strings.Join(f.commands(), " ")
	if i, j := strings.Index(sent, "+CFUN=4 +CFUN=1 "), strings.Index(sent, "+CFUN=1,1"); i < 0 || j < i {
		t.Errorf("sent %s", sent)
	}
	s := r.Status()
	if s.Cures["radio"] == 0 || s.Cures["reset"] == 0 || s.Failures[NotRegistered] == 0 {
		t.Errorf("%+v %+v", s.Cures, s.Failures)
	}
	if err := r.applyCure(t.Context(), CurePowerCycle); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(cut); err != nil {
		t.Error(err)
	}
	r.stop()
	if b, err := os.ReadFile(filepath.Join(cfg.StateDir, stateName)); err != nil || !strings.Contains(string(b), `"count": `) {
		t.Errorf("state %s %v", b, err)
	}
}

func TestPowerCycleCommand(t *testing.T) {
	tests := []struct {
		name    string
		argv    []string
		timeout time.Duration
		says    string
	}{
		{"fails", []string{"/bin/sh", "-c", "echo no such hub; exit 3"}, time.Minute, "no such hub"}, // the machine may be busy
		{"is not there", []string{"/no/such/program"}, time.Minute, "starting cures.power_cycle: "},
		{"never ends, nor what it started", []string{"/bin/sh", "-c", "sleep 1000 & sleep 1000"}, 200 * time.Millisecond, "no end within 200ms"},
		{"floods", []string{"/bin/sh", "-c", "yes"}, 200 * time.Millisecond, "no end within 200ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config("/dev/no-such-modem", "127.0.0.1:9")
			cfg.Cures = CuresConfig{PowerCycle: tt.argv, PowerCycleTimeout: tt.timeout}
			log := &logBook{}
			cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
			a, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			starts := tt.argv[0] == "/bin/sh"
			if w := log.warnings(); (len(w) == 0) != starts {
				t.Errorf("at the start: %q", w)
			}
			begin := time.Now()
			err = a.powerCycle(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > maxOutput+500 {
				t.Errorf("%.300v", err)
			}
			if n := a.ladder.state.resets().Count; (n == 1) != starts || a.booting.IsZero() == starts {
				t.Errorf("%d restarts, booting until %v", n, a.booting)
			}
			if d := time.Since(begin); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

// A refused PIN is not entered again by the next process.
func TestWrongPINOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	for i, want := range []int{1, 0} {
		f := newFakeModem(t, map[string]string{"+CPIN?": "+CPIN: SIM PIN|OK", `+CPIN="9999"`: "+CME ERROR: 16"})
		cfg := config(f.path, "127.0.0.1:9")
		cfg.Modem.PIN, cfg.StateDir = "9999", dir
		r := start(t, cfg)
		<-r.pauses
		r.stop()
		if n := f.count(`+CPIN="9999"`); n != want {
			t.Errorf("process %d entered it %d times", i, n)
		}
	}
}

// The end leaves data mode and hangs up, also on a modem that does not end the call with PPP.
func TestEndHangsUp(t *testing.T) {
	f := newFakeModem(t, nil)
	f.stubborn = true
	r := start(t, config(f.path, echoServer(t)), func(a *Agent) { a.timing.hangUp = time.Minute }) // the machine may be busy
	<-r.Ready()
	r.stop()
	if n := f.count("H"); n != 1 {
		t.Errorf("hung up %d times: %q", n, f.commands())
	}
}

// A restart that the modem does not confirm counts: it may have been heard, and the next one must not come too early.
func TestUnconfirmedRestartCounts(t *testing.T) {
	f := newFakeModem(t, map[string]string{"+CFUN=1,1": "silence"})
	a, err := New(config(f.path, "127.0.0.1:9"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- a.applyCure(ctx, CureReset) }()
	await(t, func() bool { return f.count("+CFUN=1,1") > 0 })
	cancel()
	if err := <-done; err == nil {
		t.Error("it was confirmed")
	}
	if n := a.ladder.state.resets().Count; n != 1 || !a.booting.After(time.Now()) {
		t.Errorf("%d restarts, booting until %v", n, a.booting)
	}
}

// A refused one does not.
func TestRefusedRestartDoesNotCount(t *testing.T) {
	f := newFakeModem(t, nil)
	a, err := New(config(f.path, "127.0.0.1:9"))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.applyCure(t.Context(), CureReset); !modem.Refused(err) {
		t.Errorf("restarting: %v", err)
	}
	a.cure(t.Context(), CureReset)
	if n := a.ladder.state.resets().Count; n != 0 || !a.booting.IsZero() || a.Status().Cures["reset"] != 0 {
		t.Errorf("%d restarts, booting until %v, counted %v", n, a.booting, a.Status().Cures)
	}
}

// The command has the time that it was given, and the modem boots from the command's end on.
func TestPowerCycleTakesItsTime(t *testing.T) {
	cfg := config("/dev/no-such-modem", "127.0.0.1:9")
	cfg.Cures = CuresConfig{PowerCycle: []string{"/bin/sleep", "0.1"}, PowerCycleTimeout: 10 * time.Minute}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	a.cure(t.Context(), CurePowerCycle)
	if d := a.booting.Sub(begin); d < modem.GenericBoot+100*time.Millisecond {
		t.Errorf("it has booted %v after the command began", d)
	}
	if due := processStart.Add(time.Duration(a.due.Load())); due.Before(begin.Add(cfg.Cures.PowerCycleTimeout)) {
		t.Errorf("it has to end within %v", due.Sub(begin))
	}
}

// An agent that is told to end in the middle of a power cycle waits for the power to be back, and has systemd wait, too.
func TestPowerCycleOutlivesTheStop(t *testing.T) {
	dir := t.TempDir()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.SetReadDeadline(time.Now().Add(30 * time.Second)) // it is a failure
	switched := filepath.Join(dir, "switched")
	if err := syscall.Mkfifo(filepath.Join(dir, "go on"), 0o600); err != nil {
		t.Fatal(err)
	}
	goOn, err := os.OpenFile(filepath.Join(dir, "go on"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer goOn.Close()
	cfg := config("/dev/no-such-modem", "127.0.0.1:9")
	cfg.NotifySocket, cfg.StateDir = filepath.Join(dir, "notify"), dir
	cfg.Cures = CuresConfig{PowerCycleTimeout: 5 * time.Minute, PowerCycle: []string{"/bin/sh", "-c", `cd "$0"; echo off >>switched; read go <"go on"; echo on >>switched`, dir}}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- a.powerCycle(ctx) }()
	reads := func(want string) bool {
		b, err := os.ReadFile(switched)
		return err == nil && string(b) == want
	}
	await(t, func() bool { return reads("off\n") })
	if b, err := os.ReadFile(filepath.Join(dir, stateName)); err != nil || !strings.Contains(string(b), `"unfinished": true`) {
		t.Errorf("while it runs, the state is %s %v", b, err)
	}
	stop()
	b := make([]byte, 100)
	n, err := l.Read(b)
	if got := string(b[:n]); err != nil || got != "EXTEND_TIMEOUT_USEC=315000000" {
		t.Errorf("told systemd %q, %v", got, err)
	}
	goOn.WriteString("\n")
	if err := <-done; err != nil || !reads("off\non\n") {
		t.Errorf("the command ended with %v", err)
	}
	if r := a.ladder.state.resets(); r.Unfinished || r.Count != 1 {
		t.Errorf("%+v", r)
	}
}

// An agent that was told to end does not begin to switch the power.
func TestNoPowerCycleAfterTheStop(t *testing.T) {
	switched := filepath.Join(t.TempDir(), "switched")
	cfg := config("/dev/no-such-modem", "127.0.0.1:9")
	cfg.Cures = CuresConfig{PowerCycle: []string{"/bin/sh", "-c", `echo >"$0"`, switched}}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	a.cure(ctx, CurePowerCycle)
	if _, err := os.Stat(switched); err == nil {
		t.Error("it did")
	}
}

// A port that was opened for a cure alone is opened anew by the next round, which sets the modem up and multiplexes it.
func TestCureLeavesNoHalfOpenPort(t *testing.T) {
	f := newFakeModem(t, map[string]string{"+CEREG?": "+CEREG: 3,2|OK", "+CFUN=4": "OK", "+CFUN=1": "OK", "+CFUN?": "+CFUN: 1|OK"})
	f.cmux = true
	r := start(t, config(f.path, echoServer(t)), func(a *Agent) { a.timing.deadlines[StateRegistered] = 50 * time.Millisecond })
	for {
		select {
		case <-r.pauses:
			if r.Status().Failure.Cure == CureRadio.String() {
				f.set("+CEREG?", `+CEREG: 3,1,"1F00","79D903",7|OK`)
			}
			r.resume <- time.Time{}
			continue
		case <-r.Ready():
		}
		break
	}
	if r.currentSession().mux == nil {
		t.Errorf("online without the multiplexer after %v, %q", r.Status().Cures, f.commands())
	}
}

// A port that is refused is looked at each second, as udev may be about to give it to its group, and then is somebody's to change.
func TestRefusedPortHasItsTime(t *testing.T) {
	f := newFakeModem(t, nil)
	hold(t, f.path)
	r := start(t, config(f.path, "127.0.0.1:9"), func(a *Agent) { a.timing.settle = 50 * time.Millisecond })
	pause, n := <-r.pauses, 0
	for ; pause == bootPause && r.Status().Failure.Class == ClassBackOff; n++ {
		r.resume <- time.Time{}
		pause = <-r.pauses
	}
	if got := r.Status().Failure; n == 0 || pause != 4*time.Second || got.Class != ClassPerson || got.Code != NoModem {
		t.Errorf("after %d looks: %v, %+v", n, pause, got)
	}
}

// A modem whose ports are not all there is waited for, and then taken as it is.
func TestIncompleteModemHasItsTime(t *testing.T) {
	at, data, cfg := twoPorts(t)
	cfg.Modem.Port, cfg.Modem.PPPPort = "auto", ""
	looks := 0
	cfg.FindUSB = func(string) (tty.USBModem, error) {
		if looks++; looks == 2 {
			return tty.USBModem{AT: at.path, PPP: data.path}, nil
		}
		return tty.USBModem{AT: at.path}, &tty.Error{Path: "auto", Err: tty.ErrIncomplete}
	}
	r := start(t, cfg)
	if pause := <-r.pauses; pause != bootPause {
		t.Errorf("paused %v", pause)
	}
	r.resume <- time.Time{}
	<-r.Ready()
	if s := r.currentSession(); !s.hasOwnPPPPort() {
		t.Error("half a modem was taken")
	}
	r.stop()
	r = start(t, cfg, func(a *Agent) { a.timing.settle = time.Nanosecond })
	<-r.pauses
	r.resume <- time.Time{}
	<-r.Ready()
}
