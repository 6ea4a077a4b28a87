package emulator

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const scriptText = `
- at: 10s
  modem: 1
  fault: silent-link
  params: {lcp: true}
  for: 1m30s
- {at: 5ms, fault: deact, params: {cid: 2}}
- {modem: all, fault: sim-pin, params: {pin: "0471"}}
`

func TestParseScript(t *testing.T) {
	got, err := ParseScript([]byte(scriptText), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := Script{
		{At: 10 * time.Second, Modem: 1, Fault: "silent-link", Params: map[string]string{"lcp": "true"}, For: 90 * time.Second},
		{At: 5 * time.Millisecond, Fault: "deact", Params: map[string]string{"cid": "2"}},
		{Modem: AllModems, Fault: "sim-pin", Params: map[string]string{"pin": "0471"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseScriptErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", " \n", "it is empty"},
		{"too long", strings.Repeat("#", maxScript+1), "longer than"},
		{"no list", "at: 1s\n", "parsing the script: [1:3]"},
		{"unknown key", "- {at: 1s, fault: reboot}\n- {at: 1s, mode: 1}\n", `[2:12] unknown field "mode"`},
		{"fault", "- at: 1s\n  fault: gremlins\n", `[2:10] [0].fault: fault "gremlins": not known, allowed are no-carrier`},
		{"no fault", "- at: 1s\n", `[1:5] [0].fault: fault "": not known`},
		{"parameter", "- {fault: deact}\n- {fault: deact, params: {pdp: 1}}\n", `[1].params: fault deact: parameter "pdp": not known, allowed are: cid`},
		{"value", "- {fault: deact, params: {cid: 256}}\n", `parameter cid: "256": allowed is 1 to 255`},
		{"list as value", "- {fault: deact, params: {cid: [1]}}\n", "[0].params: cid: must be one value"},
		{"modem", "- {fault: deact, modem: 2}\n", "[1:25] [0].modem: 2: 0 to 1 are there, or all"},
		{"large modem", "- {fault: deact, modem: 18446744073709551615}\n", "0 to 1 are there"},
		{"modem by name", "- {fault: deact, modem: both}\n", `[0].modem: "both": must be a number or all`},
		{"negative modem", "- {fault: deact, modem: -1}\n", "[0].modem: -1: must be a number from 0, or all"},
		{"time", "- {fault: deact, at: -1s}\n", "[0].at: -1s: must not be negative"},
		{"no time", "- {fault: deact, at: soon}\n", "[1:22] [0].at: soon: must be a duration"},
		{"bare number", "- {fault: deact, at: 10}\n", "[1:22] [0].at: 10: must be a duration"},
		{"duration", "- {fault: sim-out, for: -1s}\n", "[0].for: -1s: must not be negative"},
		{"momentary", "- {fault: reboot, for: 1s}\n", "it happens once, and has no duration"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseScript([]byte(tt.text), 2); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add([]byte(scriptText))
	f.Add([]byte("- {at: 1s, modem: all, fault: reboot}\n"))
	f.Add([]byte("- &a {fault: deact}\n- *a\n"))
	f.Add([]byte("! {0} ")) // the library panicked
	f.Fuzz(func(t *testing.T, text []byte) {
		script, err := ParseScript(text, 3)
		if err != nil {
			return
		}
		if err := script.check(3); err != nil {
			t.Error(err)
		}
	})
}

// TestScript plays one with the emulator, and one by hand.
func TestScript(t *testing.T) {
	script := Script{
		{At: 20 * time.Millisecond, Fault: "no-carrier"}, // there is no call
		{At: 10 * time.Millisecond, Modem: AllModems, Fault: "sim-out", For: time.Millisecond},
		{Modem: 1, Fault: "late-reply"},
	}
	e := start(t, Config{Modems: 2, Script: script})
	var got []string
	for ev := range e.Events(t.Context(), 0) {
		if ev.Type != "fault" {
			continue
		}
		got = append(got, strings.Join([]string{ev.Fault, ev.State, string(rune('0' + ev.Modem))}, " "))
		if len(got) == 6 {
			break
		}
	}
	// What ends by itself has no place in the order.
	count := map[string]int{}
	for _, g := range got {
		count[g]++
	}
	want := map[string]int{"late-reply injected 1": 1, "sim-out injected 0": 1, "sim-out injected 1": 1, "sim-out cleared 0": 1, "sim-out cleared 1": 1, "no-carrier failed 0": 1}
	if diff := cmp.Diff(want, count); diff != "" || got[0] != "late-reply injected 1" {
		t.Errorf("%v (-want +got):\n%s", got, diff)
	}

	if err := e.Play(t.Context(), Script{{Modem: AllModems, Fault: "no-carrier"}, {Modem: 1, Fault: "deact"}}); !errors.Is(err, ErrFault) ||
		!strings.Contains(err.Error(), "modem 0: ") || !strings.Contains(err.Error(), "modem 1: ") {
		t.Errorf("Play: %v", err)
	}
	if err := e.Play(t.Context(), Script{{Modem: 7, Fault: "reboot"}}); err == nil || !strings.Contains(err.Error(), "script[0].modem: 7") {
		t.Errorf("Play: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Play(ctx, Script{{At: time.Hour, Fault: "reboot"}}); err != nil {
		t.Errorf("Play that was called off: %v", err)
	}
	e.Clear()
	if n := len(e.Modem(1).Status().Faults); n != 0 {
		t.Errorf("%d faults are active", n)
	}
}

func TestNewRefusesABadScript(t *testing.T) {
	if _, err := New(Config{Script: Script{{Fault: "reboot"}, {Modem: 1, Fault: "reboot"}}}); err == nil || !strings.Contains(err.Error(), "script[1].modem") {
		t.Errorf("error %v", err)
	}
}
