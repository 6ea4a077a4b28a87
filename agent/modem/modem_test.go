package modem

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"minato/agent/atline"
)

// fake gives a modem that answers from a table, and the commands that it got. A command that is not in the table is an ERROR.
func fake(t *testing.T, cfg Config, answers map[string]string) (*Modem, func() []string) {
	t.Helper()
	host, dce := net.Pipe()
	var got []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 0, 1024)
		for {
			b := make([]byte, 256)
			n, err := dce.Read(b)
			if err != nil {
				return
			}
			buf = append(buf, b[:n]...)
			for {
				line, rest, ok := strings.Cut(string(buf), "\r")
				if !ok {
					break
				}
				buf = []byte(rest)
				cmd := strings.TrimPrefix(line, "AT")
				got = append(got, cmd)
				answer, ok := answers[cmd]
				if !ok {
					answer = "ERROR"
				}
				io.WriteString(dce, "\r\n"+strings.ReplaceAll(answer, "|", "\r\n\r\n")+"\r\n")
			}
		}
	}()
	line := atline.New(host, atline.Config{})
	stop := func() []string {
		line.Close()
		dce.Close()
		<-done
		return got
	}
	t.Cleanup(func() { stop() })
	return New(line, cfg), stop
}

func TestIdentify(t *testing.T) {
	m, _ := fake(t, Config{}, map[string]string{
		"+CGMI": "SIMCOM INCORPORATED|OK", "+CGMM": "SIMCOM_SIM7600E-H|OK", "+CGMR": "+CGMR: LE20B03SIM7600M21-A|OK", "+CGSN": "867584034313614|OK"})
	got, err := m.Identify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Identity{"SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "LE20B03SIM7600M21-A", "867584034313614", "simcom"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestEnterPIN(t *testing.T) {
	tests := []struct {
		name    string
		answers map[string]string
		pin     string
		want    error
		entered bool
	}{
		{"right", map[string]string{`+CPINR="SIM PIN"`: "+CPINR: SIM PIN,3,3|OK", `+CPIN="1234"`: "OK"}, "1234", nil, true},
		{"wrong", map[string]string{`+CPINR="SIM PIN"`: "+CPINR: SIM PIN,3,3|OK", `+CPIN="1234"`: "+CME ERROR: 16"}, "1234", ErrPINRefused, true},
		{"last try", map[string]string{`+CPINR="SIM PIN"`: "+CPINR: SIM PIN,1,3|OK", `+CPIN="1234"`: "OK"}, "1234", ErrPINLastTry, false},
		{"counted by the SIM", map[string]string{`+CSIM=10,"0020000100"`: `+CSIM: 4,"63C3"|OK`, `+CPIN="1234"`: "OK"}, "1234", nil, true},
		{"not counted", map[string]string{`+CPIN="1234"`: "OK"}, "1234", ErrPINUncounted, false},
		{"no PIN at all", map[string]string{}, `1";H`, errNotPIN, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, stop := fake(t, Config{}, tt.answers)
			_, err := m.EnterPIN(t.Context(), tt.pin)
			if !errors.Is(err, tt.want) || tt.want == nil && tt.entered != (err == nil) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "1234") {
				t.Errorf("the PIN is in the message: %v", err)
			}
			sent := strings.Join(stop(), " ")
			if got := strings.Contains(sent, "+CPIN="); got != tt.entered {
				t.Errorf("entered: %v, want %v (%s)", got, tt.entered, sent)
			}
		})
	}
}

// One guard for the process: a new modem on the same SIM does not try the PIN again.
func TestRefusedPINIsNeverEnteredAgain(t *testing.T) {
	guard := NewPINGuard(nil)
	answers := map[string]string{`+CPINR="SIM PIN"`: "+CPINR: SIM PIN,3,3|OK", `+CPIN="1234"`: "+CME ERROR: 16", "+CCID": "+CCID: 8981100005710720466|OK"}
	for i, want := range []error{ErrPINRefused, ErrPINKnownBad} {
		m, stop := fake(t, Config{Guard: guard}, answers)
		if _, err := m.ICCID(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.EnterPIN(t.Context(), "1234"); !errors.Is(err, want) {
			t.Errorf("try %d: %v, want %v", i, err, want)
		}
		if entered := strings.Contains(strings.Join(stop(), " "), "+CPIN="); entered != (i == 0) {
			t.Errorf("try %d: entered %v", i, entered)
		}
	}
}

func TestSIMState(t *testing.T) {
	tests := []struct {
		answer string
		want   SIMState
	}{
		{"+CPIN: READY|OK", SIMReady}, {"+CPIN: SIM PIN|OK", SIMPINRequired}, {"+CME ERROR: 10", SIMAbsent}, {"+CME ERROR: SIM not inserted", SIMAbsent},
		{"+CME ERROR: 14", SIMBusy}, {"+CME ERROR: 13", SIMFailed}, {"+CME ERROR: SIM wrong", SIMWrong}, {"+CME ERROR: 12", SIMPUKRequired}, {"ERROR", SIMUnknown}, {"OK", SIMUntold}, {"+CSQ: 20,99|OK", SIMUntold},
	}
	for _, tt := range tests {
		m, stop := fake(t, Config{}, map[string]string{"+CPIN?": tt.answer})
		if got, err := m.SIM(t.Context()); err != nil || got != tt.want {
			t.Errorf("%q: %v, %v, want %v", tt.answer, got, err, tt.want)
		}
		stop()
	}
}

func TestRegistrationPrefersData(t *testing.T) {
	tests := []struct {
		name               string
		cereg, cgreg, creg string
		domain             string
		stat               RegistrationStatus
	}{
		{"data-only SIM", "+CEREG: 0,5|OK", "ERROR", "+CREG: 0,3|OK", "+CEREG", RegisteredRoaming},
		{"3G", "+CEREG: 0,0|OK", "+CGREG: 0,1|OK", "+CREG: 0,1|OK", "+CGREG", RegisteredHome},
		{"denied", "+CEREG: 0,3|OK", "ERROR", "+CREG: 0,1|OK", "+CEREG", RegistrationDenied},
		{"denied on one", "+CEREG: 0,2|OK", "+CGREG: 0,3|OK", "ERROR", "+CGREG", RegistrationDenied},
		{"URC before the reply", "+CEREG: 0|+CEREG: 0,1|OK", "ERROR", "ERROR", "+CEREG", RegisteredHome},
	}
	for _, tt := range tests {
		m, stop := fake(t, Config{}, map[string]string{"+CEREG?": tt.cereg, "+CGREG?": tt.cgreg, "+CREG?": tt.creg})
		r, err := m.Registration(t.Context())
		if err != nil || r.Domain != tt.domain || r.Stat != tt.stat {
			t.Errorf("%s: %+v, %v", tt.name, r, err)
		}
		stop()
	}
}

func TestDefineContextWritesOnlyChanges(t *testing.T) {
	tests := []struct {
		have string
		want bool // writes
	}{
		{`+CGDCONT: 1,"IP","soracom.io","0.0.0.0",0,0|OK`, false},
		{`+CGDCONT: 1,"IP","SORACOM.IO.mnc010.mcc440.gprs","0.0.0.0",0,0|OK`, false},
		{`+CGDCONT: 1,"IP","internet","0.0.0.0",0,0|OK`, true},
		{"OK", true},
		{"ERROR", true},
	}
	for _, tt := range tests {
		m, stop := fake(t, Config{}, map[string]string{"+CGDCONT?": tt.have, `+CGDCONT=1,"IP","soracom.io"`: "OK"})
		if err := m.DefineContext(t.Context(), PDPContext{1, PDPTypeIP, "soracom.io"}); err != nil {
			t.Errorf("%q: %v", tt.have, err)
		}
		if got := strings.Contains(strings.Join(stop(), " "), "+CGDCONT="); got != tt.want {
			t.Errorf("%q: wrote %v, want %v", tt.have, got, tt.want)
		}
	}
	m, _ := fake(t, Config{}, nil)
	if err := m.DefineContext(t.Context(), PDPContext{1, PDPTypeIP, `a";H`}); err == nil {
		t.Error("an APN with a quotation mark was sent")
	}
}

func TestDial(t *testing.T) {
	tests := []struct {
		name    string
		answers map[string]string
		speed   int
		want    error
	}{
		{"dial string", map[string]string{"D*99***1#": "CONNECT 150000000"}, 150000000, nil},
		{"CGDATA", map[string]string{`+CGDATA="PPP",1`: "CONNECT"}, 0, nil},
		{"refused", map[string]string{"D*99***1#": "NO CARRIER"}, 0, atline.ConnectError("NO CARRIER")},
		{"unknown APN", map[string]string{"D*99***1#": "+CME ERROR: 133"}, 0, atline.CMEError("133")},
	}
	for _, tt := range tests {
		m, stop := fake(t, Config{}, tt.answers)
		call, err := m.Dial(t.Context(), 1)
		if !errors.Is(err, tt.want) || err == nil && call.Speed != tt.speed {
			t.Errorf("%s: %+v, %v", tt.name, call, err)
		}
		stop()
	}
}
