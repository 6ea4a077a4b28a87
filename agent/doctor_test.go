package agent

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"minato/agent/ppp"
)

// flatten writes a tree in one line: name, or name[code], or (name) where it was not made.
func flatten(c Check) string {
	var parts []string
	var walk func(Check)
	walk = func(c Check) {
		switch {
		case c.Skipped:
			parts = append(parts, "("+c.Name+")")
		case !c.OK:
			parts = append(parts, c.Name+"["+string(c.Code)+"]")
		default:
			parts = append(parts, c.Name)
		}
		for _, sub := range c.Checks {
			walk(sub)
		}
	}
	walk(c)
	return strings.Join(parts, " ")
}

// Each broken set-up is told by its real cause, whatever follows from it.
func TestDoctorNamesTheCause(t *testing.T) {
	t.Parallel()
	refuse := func(f *fakeModem, _ *Config) { f.admit = func(ppp.Credentials) error { return errNotAdmitted } }
	tests := []struct {
		name    string
		answers map[string]string
		setup   func(*fakeModem, *Config)
		check   string // that failed
		code    Code
		says    string // of detail and hint
	}{
		{"nothing wrong", nil, nil, "", "", ""},
		{"no such port", nil, func(_ *fakeModem, c *Config) { c.Modem.Port = "/dev/no-such-modem" }, "port", NoModem, "check the cable"},
		{"held port", nil, func(f *fakeModem, _ *Config) { hold(f.t, f.path) }, "port", NoModem, "held by"},
		{"no modem behind the port", map[string]string{"E0V1": "silence", "": "silence", "E0Q0V1": "silence"}, nil, "modem", NoModem, "AT port"},
		{"no SIM", map[string]string{"+CPIN?": "+CME ERROR: 10"}, nil, "SIM", SIM, "insert the SIM"},
		{"PIN", map[string]string{"+CPIN?": "+CPIN: SIM PIN|OK"}, nil, "SIM", SIM, "3 tries left"},
		{"PUK", map[string]string{"+CPIN?": "+CPIN: SIM PUK|OK"}, nil, "SIM", SIM, "PUK"},
		{"weak signal", map[string]string{"+CEREG?": "+CEREG: 3,2|OK", "+CESQ": "+CESQ: 99,99,255,255,3,5|OK"}, nil, "signal", WeakSignal, "antenna"},
		{"searching", map[string]string{"+CEREG?": "+CEREG: 3,2|OK"}, nil, "registration", NotRegistered, "searching"},
		{"denied", map[string]string{"+CEREG?": "+CEREG: 3,3,,,,0,15|OK"}, nil, "registration", NotRegistered, "cause 15"},
		{"unknown APN", map[string]string{"D*99***1#": "NO CARRIER", "+CEER": "+CEER: Missing or unknown APN, cause 27|OK"}, nil, "context", NoContext, "network.apn"},
		{"wrong password", map[string]string{"+CEER": "+CEER: User authentication failed, cause 29|OK"}, refuse, "authentication", PPPAuth, "network.user"},
		{"bearer not ready", nil, func(f *fakeModem, _ *Config) { f.unready = true }, "address", NoAddress, ""},
		{"call ends at once", nil, refuse, "address", NoAddress, ""},
		{"nothing comes through", nil, func(f *fakeModem, _ *Config) { f.deaf.Store(true) }, "link", DeadLink, "ladder of cures"},
		{"service not started", nil, func(_ *fakeModem, c *Config) { c.Services[0].Target = "tcp://127.0.0.1:9" }, "local port of echo", ServiceDown, "start that program"},
	}
	waits := map[string]State{"modem": StateIdentify, "signal": StateRegistered, "registration": StateRegistered, "address": StatePPP}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeModem(t, tt.answers)
			cfg := config(f.path, echoServer(t))
			cfg.Modem.PIN = "1234"
			cfg.Probe = ProbeConfig{Timeout: 20 * time.Second, Failures: 1} // the machine may be busy
			if tt.check == "link" {
				cfg.Probe.Timeout = 200 * time.Millisecond
			}
			if tt.setup != nil {
				tt.setup(f, &cfg)
			}
			top := diagnose(t.Context(), cfg, func(a *Agent) {
				a.timing.denied, a.timing.absent, a.timing.probe = 0, 0, time.Second
				if s, ok := waits[tt.check]; ok { // the one that the set-up ends in
					a.timing.deadlines[s] = 5 * time.Second
				}
			})
			t.Log(flatten(top))
			cause := top.Cause()
			if tt.check == "" {
				if cause != nil {
					t.Fatalf("%+v", cause)
				}
			} else if cause == nil || cause.Name != tt.check || cause.Code != tt.code || !strings.Contains(cause.Detail+" "+cause.Hint, tt.says) {
				t.Errorf("cause %+v, want %s [%s] %q", cause, tt.check, tt.code, tt.says)
			}
			failed := strings.Count(flatten(top), "[")
			if cause != nil && failed != 1 {
				t.Errorf("%d checks failed: %s", failed, flatten(top))
			}
			for _, c := range f.commands() {
				if strings.HasPrefix(c, "+CPIN=") {
					t.Error("doctor entered a PIN")
				}
			}
		})
	}
}

// With the agent running, the tree is that of its status.
func TestChecksOfStatus(t *testing.T) {
	failed := func(code Code, at State) Status {
		return Status{State: StateIdle, Failure: &FailureStatus{Code: code, State: at, Message: "m", Hint: "h"}, Services: []ServiceStatus{{Name: "ssh", Port: 22}}}
	}
	const rest = " (context) (authentication) (address) (link) (service ssh on port 22)"
	tests := []struct {
		name   string
		status Status
		want   string
	}{
		{"online", Status{State: StateOnline, Services: []ServiceStatus{{Name: "ssh", Port: 22, Up: true}}},
			"port modem SIM signal registration context authentication address link service ssh on port 22"},
		{"never answered", Status{State: StateOnline, Probe: &ProbeStatus{Missed: 3, Error: "no answer"}, Services: []ServiceStatus{{Name: "ssh", Port: 22, Up: true}}},
			"port modem SIM signal registration context authentication address link[A31] service ssh on port 22"},
		{"service down", Status{State: StateOnline, Services: []ServiceStatus{{Name: "ssh", Port: 22}}},
			"port modem SIM signal registration context authentication address link service ssh on port 22[A32]"},
		{"port", failed(NoModem, StatePort), "port[A24] (modem) (SIM) (signal) (registration)" + rest},
		{"silent", failed(NoModem, StateIdentify), "port modem[A24] (SIM) (signal) (registration)" + rest},
		{"restarted at the dial", failed(NoModem, StateDial), "port modem[A24] (SIM) (signal) (registration)" + rest},
		{"unplugged while online", failed(NoModem, StateOnline), "port[A24] (modem) (SIM) (signal) (registration)" + rest},
		{"SIM", failed(SIM, StateSIM), "port modem SIM[A25] (signal) (registration)" + rest},
		{"weak", failed(WeakSignal, StateRegistered), "port modem SIM signal[A26] (registration)" + rest},
		{"denied", failed(NotRegistered, StateRegistered), "port modem SIM signal registration[A27]" + rest},
		{"dead link", failed(DeadLink, StateOnline), "port modem SIM signal registration context authentication address link[A31] (service ssh on port 22)"},
		{"under way", Status{State: StateDial}, "port modem SIM signal registration context[A28] (authentication) (address) (link)"},
		{"not begun", Status{State: StatePort}, "port[A24] (modem) (SIM) (signal) (registration) (context) (authentication) (address) (link)"},
	}
	for _, tt := range tests {
		top := tt.status.Checks()
		if got := flatten(top); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		if top.Passed() != (tt.name == "online") {
			t.Errorf("%s: passed %v", tt.name, top.Passed())
		}
	}
}

// A failure is told until a later round has come past it.
func TestFailureIsTold(t *testing.T) {
	for _, tt := range []struct {
		code         Code
		at           State
		until, begun State // the last state in which it is told, and the next one
	}{
		{NoModem, StatePort, StatePort, StateIdentify},
		{NoModem, StateIdentify, StateIdentify, StateSIM},
		{NoModem, StateDial, StateIdentify, StateSIM},
		{NoModem, StateOnline, StatePort, StateIdentify}, // unplugged
		{SIM, StateOnline, StateSIM, StateRegistered},
		{WeakSignal, StateRegistered, StateRegistered, StateContext},
		{NotRegistered, StateRegistered, StateRegistered, StateContext},
		{NoContext, StateDial, StateDial, StatePPP},
		{PPPAuth, StateDial, StatePPP, StateIP},
		{DeadLink, StateOnline, StateServices, StateOnline},
		{ServiceDown, StateServices, StateOnline, StateIdle},
	} {
		a := newAgent(Config{Logger: slog.New(slog.DiscardHandler)}, &stateFile{})
		a.failed(&Failure{Code: tt.code, State: tt.at, Err: errProbe}, 0, CureRedial)
		for s := StateIdle; s <= tt.until; s++ {
			a.enter(s)
			if a.Status().Failure == nil {
				t.Errorf("%s of %s is no longer told in %s", tt.code, tt.at, s)
			}
		}
		if a.enter(tt.begun); tt.begun != StateIdle && a.Status().Failure != nil {
			t.Errorf("%s of %s is still told in %s", tt.code, tt.at, tt.begun)
		}
	}
}

func TestDiagnoseEndsWithItsContext(t *testing.T) {
	f := newFakeModem(t, map[string]string{"+CEREG?": "+CEREG: 3,2|OK"})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if c := Diagnose(ctx, config(f.path, "127.0.0.1:9")); c.Passed() {
		t.Errorf("%s", flatten(c))
	}
}
