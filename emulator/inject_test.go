package emulator

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"minato/emulator/fault"
)

func TestInjectErrors(t *testing.T) {
	e := start(t, Config{})
	for _, tt := range []struct {
		name, fault string
		params      map[string]string
		d           time.Duration
		want        string
	}{
		{"unknown", "gremlins", nil, 0, `fault "gremlins": not known, allowed are no-carrier`},
		{"no parameter", "no-carrier", map[string]string{"x": "1"}, 0, `parameter "x": not known, allowed are: none`},
		{"other parameter", "deact", map[string]string{"x": "1"}, 0, "allowed are: cid"},
		{"number", "deact", map[string]string{"cid": "0"}, 0, "allowed is 1 to 255"},
		{"boolean", "detach", map[string]string{"reattach": "yes"}, 0, "allowed is true or false"},
		{"duration", "late-reply", map[string]string{"delay": "3"}, 0, "allowed is 1ms to 10m0s, as 300ms or 1m30s"},
		{"choice", "fcs-errors", map[string]string{"direction": "left"}, 0, "allowed is both, up or down"},
		{"text", "urc-in-reply", map[string]string{"urc": "\r\nOK"}, 0, "printable ASCII"},
		{"not now", "no-carrier", nil, 0, "no data call"},
		{"not used", "deact", nil, 0, "nothing uses it"},
		{"momentary", "reboot", nil, time.Second, "it happens once, and has no duration"},
		{"negative", "sim-out", nil, -1, "must not be negative"},
		{"port", "port-vanish", map[string]string{"suffix": "/../x"}, 0, "letters, digits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := e.Modem(0).InjectFor(tt.fault, tt.params, tt.d); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if err := e.InjectFor(3, "sim-out", nil, 0); err == nil || !strings.Contains(err.Error(), "0 to 0 are there") {
		t.Errorf("no such modem: %v", err)
	}
	if err := e.InjectFor(AllModems, "gremlins", nil, 0); err == nil {
		t.Error("an unknown fault was injected")
	}
	if e.Modem(0).ClearFault("sim-out") {
		t.Error("a fault was cleared that is not active")
	}
}

// TestFaultTable: every fault is documented, and its defaults are values that it takes.
func TestFaultTable(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range fault.All {
		if seen[f.Name] || f.Name == "" || f.Doc == "" || f.Inject == nil {
			t.Errorf("fault %q is there twice, or lacks something", f.Name)
		}
		seen[f.Name] = true
		for _, p := range f.Params {
			if p.Name == "" || p.Type == "" || p.Doc == "" || p.Allowed == "" || p.Valid == nil || !p.Valid(p.Default) {
				t.Errorf("fault %s: parameter %+v lacks something", f.Name, p)
			}
		}
	}
}

// TestMomentary holds that what is documented to happen once leaves nothing to clear, and the other way round.
func TestMomentary(t *testing.T) {
	e := start(t, Config{Modems: len(fault.All)})
	for n, f := range fault.All {
		m := e.Modem(n)
		if err := m.Inject(f.Name, nil); err != nil {
			continue // without a call
		}
		if active := len(m.Status().Faults) == 1; active == f.Momentary {
			t.Errorf("fault %s: momentary %v, active %v", f.Name, f.Momentary, active)
		}
	}
	e.Clear()
	for n := range fault.All {
		if list := e.Modem(n).Status().Faults; len(list) != 0 {
			t.Errorf("active after the clearing: %+v", list)
		}
	}
}

// TestEndWithFaults: faults with goroutines and timers end with the emulator.
func TestEndWithFaults(t *testing.T) {
	e := start(t, Config{Modems: len(fault.All)})
	for n, f := range fault.All {
		d := time.Hour
		if f.Momentary || n%2 == 0 {
			d = 0
		}
		if err := e.Modem(n).InjectFor(f.Name, nil, d); err != nil && d > 0 {
			t.Error(err)
		}
	}
}

// lines is a log's writer; every line is one write.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, string(line))
	return len(line), nil
}

// TestFaultsAreLogged: a log of one line a fault and turn, for each modem.
func TestFaultsAreLogged(t *testing.T) {
	var log lines
	e := start(t, Config{Modems: 2, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	e.InjectFor(1, "detach", map[string]string{"reattach": "false"}, time.Hour)
	e.InjectFor(0, "no-carrier", nil, 0) // there is no call
	e.Clear()
	log.mu.Lock()
	defer log.mu.Unlock()
	for _, want := range []string{
		`level=INFO msg="fault injected" modem=1 fault=detach params=map[reattach:false] for=1h0m0s`,
		`level=WARN msg="fault cannot be injected" modem=0 fault=no-carrier params=map[] error="`,
		`level=INFO msg="fault cleared" modem=1 fault=detach`,
	} {
		if !slices.ContainsFunc(log.list, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("no line with %s in\n%s", want, strings.Join(log.list, ""))
		}
	}
}
