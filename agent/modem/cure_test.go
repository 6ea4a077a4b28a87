package modem

import (
	"errors"
	"strings"
	"testing"

	"minato/agent/atline"
)

func TestProfileFor(t *testing.T) {
	tests := []struct{ manufacturer, model, want string }{
		{"Quectel", "EC25", "quectel"}, {"QUECTEL", "BG96", "quectel"},
		{"SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "simcom"}, {"SIMCOM INCORPORATED", "SIM7080", "simcom-sim7080"},
		{"u-blox", "SARA-R410M-02B", "u-blox"}, {"huawei", "MS2372h-153", "huawei"}, {"", "", "generic"}, {"ABIT", "AK-020", "generic"},
	}
	for _, tt := range tests {
		if p := profileFor(tt.manufacturer, tt.model); p.Name != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.manufacturer, tt.model, p.Name, tt.want)
		}
	}
}

// A profile that lacks something cannot drive a modem.
func TestProfilesAreWhole(t *testing.T) {
	for _, p := range append(profiles, &generic) {
		if p.Name == "" || len(p.ICCID) == 0 || len(p.Retries) == 0 || p.Auth == "" || p.NoAuth == "" || len(p.Dial) == 0 || len(p.Reset) == 0 || p.Boot == 0 {
			t.Errorf("%+v", p)
		}
	}
}

func TestReset(t *testing.T) {
	tests := []struct {
		manufacturer string
		answers      map[string]string
		sent         string
		refused      bool
	}{
		{"Quectel", map[string]string{"+CFUN=1,1": "OK"}, "+CFUN=1,1", false},
		{"SIMCOM INCORPORATED", map[string]string{"+CRESET": "OK"}, "+CRESET", false},
		{"SIMCOM INCORPORATED", map[string]string{"+CFUN=1,1": "OK"}, "+CRESET +CFUN=1,1", false},
		{"u-blox", map[string]string{"+CFUN=16": "OK"}, "+CFUN=16", false},
		{"huawei", map[string]string{"^RESET": "OK"}, "^RESET", false},
		{"u-blox", nil, "+CFUN=16 +CFUN=1,1", true},
	}
	for _, tt := range tests {
		m, stop := fake(t, Config{}, tt.answers)
		m.profile = profileFor(tt.manufacturer, "")
		if err := m.Reset(t.Context()); Refused(err) != tt.refused {
			t.Errorf("%s: %v", tt.manufacturer, err)
		}
		if sent := strings.Join(stop(), " "); sent != tt.sent {
			t.Errorf("%s: sent %q, want %q", tt.manufacturer, sent, tt.sent)
		}
	}
}

func TestReattachAndRadio(t *testing.T) {
	m, stop := fake(t, Config{}, map[string]string{"+CGACT=0,1": "+CME ERROR: 3", "+CGATT=0": "OK", "+CGATT=1": "OK", "+CFUN=4": "ERROR", "+CFUN=1": "OK"})
	if err := m.Reattach(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if err := m.RestartRadio(t.Context()); !errors.Is(err, atline.ErrError) {
		t.Errorf("the radio could not be switched off, and the error is %v", err)
	}
	if got, want := strings.Join(stop(), " "), "+CGACT=0,1 +CGATT=0 +CGATT=1 +CFUN=4 +CFUN=1"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestContextActive(t *testing.T) {
	tests := []struct {
		answer        string
		active, known bool
	}{
		{"+CGACT: 1,1|+CGACT: 2,0|OK", true, true}, {"+CGACT: 1,0|OK", false, true}, {"+CGACT: 2,1|OK", false, false}, {"OK", false, false},
		{"ERROR", false, false}, {"+CGACT: 1,9|OK", false, false},
	}
	for _, tt := range tests {
		m, stop := fake(t, Config{}, map[string]string{"+CGACT?": tt.answer})
		if a, k, err := m.ContextActive(t.Context(), 1); a != tt.active || k != tt.known || err != nil {
			t.Errorf("%q: %v, %v, %v", tt.answer, a, k, err)
		}
		stop()
	}
}

// A process may end between the command and its answer. The next one knows by the counter whether the PIN was tried.
func TestPINOfAnEndedProcess(t *testing.T) {
	tests := []struct {
		name    string
		before  PINRecord
		left    string
		want    error
		entered bool
	}{
		{"it was wrong", PINRecord{Tries: 3}, "2", ErrPINKnownBad, false},
		{"it was not entered", PINRecord{Tries: 3}, "3", nil, true},
		{"refused", PINRecord{Refused: true, Tries: 2}, "2", ErrPINKnownBad, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			memory := &shortMemory{records: map[[2]string]PINRecord{{"", "1234"}: tt.before}}
			m, stop := fake(t, Config{Guard: NewPINGuard(memory)}, map[string]string{`+CPINR="SIM PIN"`: "+CPINR: SIM PIN," + tt.left + "|OK", `+CPIN="1234"`: "OK"})
			if _, err := m.EnterPIN(t.Context(), "1234"); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if entered := strings.Contains(strings.Join(stop(), " "), "+CPIN="); entered != tt.entered {
				t.Errorf("entered %v", entered)
			}
		})
	}
}

// fullDisk cannot remember.
type fullDisk struct{ shortMemory }

func (*fullDisk) RememberPIN(string, string, PINRecord) error { return errors.New("no space left") }

func TestPINWithoutMemory(t *testing.T) {
	for left, want := range map[string]error{"3": nil, "2": ErrPINUnsaved} {
		m, _ := fake(t, Config{Guard: NewPINGuard(&fullDisk{})}, map[string]string{`+CPINR="SIM PIN"`: "+CPINR: SIM PIN," + left + "|OK", `+CPIN="1234"`: "OK"})
		if _, err := m.EnterPIN(t.Context(), "1234"); !errors.Is(err, want) {
			t.Errorf("with %s tries: %v, want %v", left, err, want)
		}
	}
}

// A refusal that cost no try is not the PIN's fault.
func TestRefusalForAnotherReason(t *testing.T) {
	memory := &shortMemory{records: map[[2]string]PINRecord{}}
	m, _ := fake(t, Config{Guard: NewPINGuard(memory)}, map[string]string{`+CPINR="SIM PIN"`: "+CPINR: SIM PIN,3|OK", `+CPIN="1234"`: "+CME ERROR: 14"})
	if _, err := m.EnterPIN(t.Context(), "1234"); err == nil || errors.Is(err, ErrPINRefused) || len(memory.records) != 0 {
		t.Errorf("%v, %v", err, memory.records)
	}
}
