package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"minato/agent/atline"
	"minato/agent/modem"
)

// newLadder has a clock that the test sets, and no jitter. power is a program that every machine has, as cut, or that none has.
func newLadder(t *testing.T, dir string, now *time.Time, power ...string) *ladder {
	t.Helper()
	state, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &ladder{
		backoff: BackoffConfig{Min: time.Second, Max: 10 * time.Second, Stable: time.Minute},
		cures:   CuresConfig{Tries: 2, PowerCycle: power, ResetInterval: 5 * time.Minute, MaxResetInterval: time.Hour},
		rand:    func() float64 { return 0.999999 }, now: func() time.Time { return *now }, state: state,
	}
}

// climb notes what n failures get, and that restarts are done.
func climb(l *ladder, n int, f *Failure) string {
	var got []string
	for range n {
		_, c := l.next(0, f)
		if c >= CureReset {
			l.restarted()
		}
		got = append(got, c.String())
	}
	return strings.Join(got, " ")
}

func TestLadder(t *testing.T) {
	tests := []struct {
		name  string
		f     Failure
		power []string
		want  string
	}{
		{"dead link", Failure{Code: DeadLink}, []string{"cut"},
			"redial redial reattach reattach radio radio reset radio radio radio"}, // the floor holds back what follows the reset
		{"dead link, no power switch", Failure{Code: NoAddress}, nil, "redial redial reattach reattach radio radio reset radio radio radio"},
		{"dead link, a power switch that is not there", Failure{Code: NoAddress}, []string{"/no/such/switch"}, "redial redial reattach reattach radio radio reset radio radio radio"},
		{"no port, a power switch that is not there", Failure{Code: NoModem}, []string{"/no/such/switch"}, "redial redial redial redial redial"},
		{"deaf modem, a power switch that is not there", Failure{Code: NoModem, Class: ClassReset, State: StateIdentify, Err: atline.ErrNoReply}, []string{"/no/such/switch"}, "reset redial redial redial"},
		{"weak signal", Failure{Code: WeakSignal}, []string{"cut"}, "redial redial radio radio radio radio radio radio"},
		{"no port", Failure{Code: NoModem}, []string{"cut"}, "redial redial power-cycle redial redial"},
		{"no port, no power switch", Failure{Code: NoModem}, nil, "redial redial redial redial redial"},
		{"silent modem", Failure{Code: NoModem, Class: ClassReset}, []string{"cut"}, "reset redial redial redial"},
		{"wrong PIN", Failure{Code: SIM, Class: ClassPerson}, []string{"cut"}, "redial redial redial redial redial redial redial"},
		{"denied for ever", Failure{Code: NotRegistered, Class: ClassPerson}, []string{"cut"}, "redial redial reset redial redial"},
		{"service", Failure{Code: ServiceDown}, []string{"cut"}, "redial redial redial redial redial"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Unix(1e9, 0)
			got := climb(newLadder(t, "", &now, tt.power...), len(strings.Fields(tt.want)), &tt.f)
			if tt.name == "denied for ever" {
				got = strings.ReplaceAll(got, "radio", "redial")
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Restarts come less and less often, also over restarts of the process and with a clock that goes back.
func TestResetFloor(t *testing.T) {
	now := time.Unix(1e9, 0)
	dir := t.TempDir()
	silent := &Failure{Code: NoModem, Class: ClassReset}
	if got := climb(newLadder(t, dir, &now, "cut"), 2, silent); got != "reset redial" {
		t.Fatal(got)
	}
	now = now.Add(5 * time.Minute) // the jitter makes it up to a quarter longer
	if got := climb(newLadder(t, dir, &now, "cut"), 1, silent); got != "redial" {
		t.Errorf("after five minutes and a restart of the process: %s", got)
	}
	now = now.Add(75 * time.Second)
	if got := climb(newLadder(t, dir, &now, "cut"), 1, silent); got != "reset" {
		t.Errorf("after six minutes: %s", got)
	}
	now = now.Add(7 * time.Minute)
	if got := climb(newLadder(t, dir, &now, "cut"), 1, silent); got != "redial" {
		t.Errorf("the interval did not double: %s", got)
	}
	now = time.Unix(1000, 0) // 1970
	l := newLadder(t, dir, &now, "cut")
	if got := climb(l, 1, silent); got != "redial" {
		t.Errorf("a clock that went back allowed a restart: %s", got)
	}
	now = now.Add(10 * time.Minute)
	if got := climb(l, 1, silent); got != "reset" {
		t.Errorf("a clock that went back forbids restarts for ever: %s", got)
	}
	for range 100 {
		l.restarted()
	}
	if d := l.interval(l.state.resets().Count); d != time.Hour {
		t.Errorf("interval %v", d)
	}
}

// A process that was killed in the middle of a power cycle may have left the modem without power: the next one repeats it without waiting, once.
func TestUnfinishedPowerCycle(t *testing.T) {
	now := time.Unix(1e9, 0)
	dir := t.TempDir()
	may := func(l *ladder) bool { return l.state.mayReset(now, l.interval) }
	if err := newLadder(t, dir, &now).beginPowerCycle(); err != nil {
		t.Fatal(err)
	}
	second := newLadder(t, dir, &now)
	if !may(second) {
		t.Error("the modem stays without power")
	}
	second.beginPowerCycle()
	third := newLadder(t, dir, &now)
	if may(third) {
		t.Error("a command that takes the device down is repeated without end")
	}
	now = now.Add(time.Hour)
	third.beginPowerCycle()
	third.state.endPowerCycle()
	if may(newLadder(t, dir, &now)) {
		t.Error("one that ended is repeated at once")
	}
	now = now.Add(time.Hour)
	third.beginPowerCycle()
	third.restarted()
	if may(newLadder(t, dir, &now)) {
		t.Error("a restart by command is repeated at once")
	}
}

func TestPauses(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := newLadder(t, "", &now)
	f := &Failure{Code: DeadLink}
	for i, w := range []time.Duration{1, 2, 4, 8, 10, 10} {
		if d, _ := l.next(0, f); d.Round(time.Second) != w*time.Second {
			t.Errorf("pause %d: %v, want %v s", i, d, w)
		}
	}
	if d, c := l.next(time.Second, f); d != 0 || c != CureRedial {
		t.Errorf("first loss: %v, %v", d, c)
	}
	if d, _ := l.next(time.Second, f); d.Round(time.Second) != 10*time.Second {
		t.Errorf("second loss: %v", d)
	}
	if d, c := l.next(time.Hour, f); d != 0 || c != CureRedial {
		t.Errorf("loss of a stable link: %v, %v", d, c)
	}
	if d, c := l.next(0, f); d.Round(time.Second) != time.Second || c != CureRedial {
		t.Errorf("after a stable link: %v, %v", d, c)
	}
	if d, _ := l.next(0, &Failure{Code: SIM, Class: ClassPerson}); d.Round(time.Second) != 10*time.Second {
		t.Errorf("needs a person: %v", d)
	}
}

func TestStateFile(t *testing.T) {
	dir := t.TempDir()
	s, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RememberPIN("8981100005710720466", "1234", modem.PINRecord{Refused: true, Tries: 2}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, stateName)
	b, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(b), "1234") || strings.Contains(string(b), "8981100005710720466") {
		t.Errorf("%s %v", b, err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi.Mode(), err)
	}
	again, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := again.RecallPIN("8981100005710720466", "1234"); !ok || !r.Refused || r.Tries != 2 {
		t.Errorf("%+v %v", r, ok)
	}
	for _, other := range [][2]string{{"8981100005710720466", "4321"}, {"8981100005710720467", "1234"}} {
		if _, ok := again.RecallPIN(other[0], other[1]); ok {
			t.Errorf("%v is remembered", other)
		}
	}
	if err := again.ForgetPIN("8981100005710720466", "1234"); err != nil {
		t.Error(err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
	if err := os.WriteFile(path, []byte("{\"resets\": "), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = openState(dir); err == nil || s == nil {
		t.Error("half a file was read")
	}
	if _, err := os.Stat(path + ".bad"); err != nil {
		t.Error(err)
	}
	missing, _ := openState(filepath.Join(dir, "absent"))
	if err := missing.RememberPIN("1", "1234", modem.PINRecord{}); err == nil {
		t.Error("a directory that is not there was written to")
	}
}
