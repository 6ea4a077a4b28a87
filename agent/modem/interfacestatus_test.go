package modem

import (
	"strings"
	"testing"
)

// statusLines are as modems send them: ModemManager's tests of Quectel and Huawei have those of +QNETDEVCTL, ^NDISSTATQRY and
// ^NDISSTATQry; what three values mean in +QNETDEVCTL differs between families.
var statusLines = []struct {
	parse func(line string, cid int) (bool, error)
	line  string
	want  string // "up", "down" or "": an error
}{
	{parseQNETDEVCTL, "+QNETDEVCTL: 1,1,1,1", "up"},
	{parseQNETDEVCTL, "+QNETDEVCTL: 3,1,0,1", "up"},
	{parseQNETDEVCTL, "+QNETDEVCTL: 0,0,0,0", "down"},
	{parseQNETDEVCTL, "+QNETDEVCTL: 1,1,1,0", "down"},
	{parseQNETDEVCTL, "+QNETDEVCTL: 0,1,1,1", "down"},
	{parseQNETDEVCTL, "+QNETDEVCTL: 1,2,1,1", "down"},
	{parseQNETDEVCTL, "+QNETDEVCTL: 1,2,1", ""},
	{parseQNETDEVCTL, "+QNETDEVCTL: 1,1,1,1,1", ""},
	{parseQNETDEVCTL, "+QNETDEVCTL: 5,1,1,1", ""},
	{parseQNETDEVCTL, "+QNETDEVCTL: 1,1,1,4", ""},
	{parseQNETDEVCTL, `+QNETDEVSTATUS: 1,1,"IPV4",1`, ""},

	{parseQCRMCALL, "$QCRMCALL: 1,V4", "up"},
	{parseQCRMCALL, "$QCRMCALL: 1, V4", "up"},
	{parseQCRMCALL, "$QCRMCALL: 0,V4", "down"},
	{parseQCRMCALL, "$QCRMCALL: 1,V6", "down"},
	{parseQCRMCALL, "$QCRMCALL: 1", ""},
	{parseQCRMCALL, "$QCRMCALL: 2,V4", ""},
	{parseQCRMCALL, "$QCRMCALL: 1,4", ""},
	{parseQCRMCALL, "$QCRMCALL: 1,V4$QCRMCALL: 1,V6", ""},

	{parseCNACT, `+CNACT: 0,1,"10.1.2.3"`, "up"},
	{parseCNACT, `+CNACT: 0,0,"0.0.0.0"`, "down"},
	{parseCNACT, `+CNACT: 0,2,"0.0.0.0"`, "down"},
	{parseCNACT, `+CNACT: 1,1,"10.1.2.3"`, "down"},
	{parseCNACT, `+CNACT: 1,"10.1.2.3"`, ""}, // a SIM7000's
	{parseCNACT, `+CNACT: 0,3,"10.1.2.3"`, ""},
	{parseCNACT, `+CNACT: 4,1,"10.1.2.3"`, ""},

	{parseNDISSTATQRY, "^NDISSTATQRY: 1,,,IPV4", "up"},
	{parseNDISSTATQRY, `^NDISSTATQRY: 1,,,"IPV4"`, "up"},
	{parseNDISSTATQRY, `^NDISSTATQRY:1,,,"IPV4",0,,,"IPV6"`, "up"},
	{parseNDISSTATQRY, `^NDISSTATQRY: 0,,,"IPV6",1,,,"IPV4"`, "up"},
	{parseNDISSTATQRY, "^NDISSTATQry:1", "up"},
	{parseNDISSTATQRY, "^NDISSTATQry:0", "down"},
	{parseNDISSTATQRY, "^NDISSTATQRY: 0,,,IPV4", "down"},
	{parseNDISSTATQRY, "^NDISSTATQRY: 0,33,,IPV4", "down"},
	{parseNDISSTATQRY, "^NDISSTATQRY: 2,,,IPV4", "down"},
	{parseNDISSTATQRY, "^NDISSTATQRY: 1,,,IPV6", "down"},
	{parseNDISSTATQRY, `^NDISSTATQRY: 0,,,"IPV4",1,,,"IPV6"`, "down"},
	{parseNDISSTATQRY, "^NDISSTATQRY: 4,,,IPV4", ""},
	{parseNDISSTATQRY, "^NDISSTATQRY: 1,,,IPV5", ""},
	{parseNDISSTATQRY, `^NDISSTATQRY: 1,,,"IPV4",x,,,"IPV6"`, ""},
	{parseNDISSTATQRY, `^NDISSTATQRY: 1,1,,,"IPV4"`, ""}, // with the context in front
	{parseNDISSTATQRY, "^NDISSTATQRY: 1,,", ""},
	{parseNDISSTATQRY, "^NDISSTATQRY:", ""},
	{parseNDISSTATQRY, "^NDISSTAT: 1,,,IPV4", ""},
}

func TestParseInterfaceStatus(t *testing.T) {
	for _, tt := range statusLines {
		up, err := tt.parse(tt.line, 1)
		if (err != nil) != (tt.want == "") || up != (tt.want == "up") {
			t.Errorf("%q: %v, %v, want %q", tt.line, up, err, tt.want)
		}
	}
}

func FuzzParseInterfaceStatus(f *testing.F) {
	for _, tt := range statusLines {
		f.Add(tt.line)
	}
	parsers := map[string]func(string, int) (bool, error){
		"+QNETDEVCTL:": parseQNETDEVCTL, "$QCRMCALL:": parseQCRMCALL, "+CNACT:": parseCNACT, "^NDISSTATQRY:": parseNDISSTATQRY,
	}
	f.Fuzz(func(t *testing.T, line string) {
		for name, parse := range parsers {
			up, err := parse(line, 1)
			if up && (err != nil || !strings.HasPrefix(strings.ToUpper(line), name) || !strings.Contains(line, "1")) {
				t.Errorf("%s %q: up, %v", name, line, err)
			}
		}
	})
}

// One line that says connected is enough; what cannot be read tells nothing.
func TestInterfaceConnected(t *testing.T) {
	tests := []struct {
		profile          *Profile
		cmd, answer      string
		connected, known bool
	}{
		{&huawei, "^NDISSTATQRY?", "^NDISSTATQRY: 0,33,,IPV6|^NDISSTATQRY: 1,,,IPV4|OK", true, true},
		{&huawei, "^NDISSTATQRY?", "^NDISSTATQRY: 1,,,IPV6|^NDISSTATQRY: 0,,,IPV4|OK", false, true},
		{&huawei, "^NDISSTATQRY?", "OK", false, false},
		{&simcom, "$QCRMCALL?", "$QCRMCALL: 1,V4|$QCRMCALL: 1,V6|OK", true, true},
		{&simcom, "$QCRMCALL?", "OK", false, true},
		{&simcom, "$QCRMCALL?", "$QCRMCALL: V4|OK", false, false},
		{&sim7080, "+CNACT?", `+CNACT: 0,0,"0.0.0.0"|+CNACT: 1,1,"10.1.2.3"|OK`, false, true},
		{&quectel, "+QNETDEVCTL?", "+QNETDEVCTL: 2,x|+QNETDEVCTL: 1,1,1,1|OK", true, true},
		{&quectel, "+QNETDEVCTL?", "ERROR", false, false},
		{&ublox, "", "", false, false},
		{&generic, "", "", false, false},
	}
	for _, tt := range tests {
		m, stop := fake(t, Config{}, map[string]string{tt.cmd: tt.answer})
		m.profile = tt.profile
		if c, k, err := m.InterfaceConnected(t.Context(), 1); c != tt.connected || k != tt.known || err != nil {
			t.Errorf("%s %q: %v, %v, %v", tt.profile.Name, tt.answer, c, k, err)
		}
		stop()
	}
}
