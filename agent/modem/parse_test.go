package modem

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The lines that modems in the field sent, from the registration cases of ModemManager's src/tests/test-modem-helpers.c.
var registrationLines = []struct {
	line string
	want Registration
}{
	{"+CREG: 1,3", Registration{"+CREG", 3, 0, 0, -1, 0}},
	{"+CREG: 3", Registration{"+CREG", 3, 0, 0, -1, 0}},
	{"+CREG: 1,1,84CD,00D30173", Registration{"+CREG", 1, 0x84cd, 0xd30173, -1, 0}},
	{"+CREG: 1,84CD,00D30156", Registration{"+CREG", 1, 0x84cd, 0xd30156, -1, 0}},
	{`+CREG: 2,1,"CE00","01CEAD8F"`, Registration{"+CREG", 1, 0xce00, 0x1cead8f, -1, 0}},
	{`+CREG: 1,"CE00","00005449"`, Registration{"+CREG", 1, 0xce00, 0x5449, -1, 0}},
	{"+CREG: 2,0,00,0", Registration{"+CREG", 0, 0, 0, -1, 0}},
	{"+CREG: 2,1,8BE3,2BAF", Registration{"+CREG", 1, 0x8be3, 0x2baf, -1, 0}},
	{"+CREG: 2,,", Registration{"+CREG", 2, 0, 0, -1, 0}},
	{`+CREG:002,001,"18d8","ffff"`, Registration{"+CREG", 1, 0x18d8, 0xffff, -1, 0}},
	{"+CREG:2,1,0001,0010", Registration{"+CREG", 1, 1, 0x10, -1, 0}},
	{"+CREG: 1,0001,0010,0", Registration{"+CREG", 1, 1, 0x10, 0, 0}},
	{`+CREG: 001,"0001","0010",000`, Registration{"+CREG", 1, 1, 0x10, 0, 0}},
	{`+CREG: 2,6,"8B37","0A265185",7`, Registration{"+CREG", 6, 0x8b37, 0xa265185, 7, 0}},
	{`+CREG: 6,"8B37","0A265185",7`, Registration{"+CREG", 6, 0x8b37, 0xa265185, 7, 0}},
	{`+CREG: 2,5,"0502","0404736D"`, Registration{"+CREG", 5, 0x502, 0x404736d, -1, 0}},
	{"+CREG: 2,1,000B,2816, B, C2816", Registration{"+CREG", 1, 0xb, 0x2816, -1, 0}},
	{"+CREG: 2,1,  0 5, 2715", Registration{"+CREG", 1, 0, 0x2715, -1, 0}},
	{"+CREG: 5", Registration{"+CREG", 5, 0, 0, -1, 0}},
	{"+CGREG: 0", Registration{"+CGREG", 0, 0, 0, -1, 0}},
	{`+CGREG: 2,1,"8BE3","00002B5D",3`, Registration{"+CGREG", 1, 0x8be3, 0x2b5d, 3, 0}},
	{`+CGREG: 5,"0502","0404736D",2`, Registration{"+CGREG", 5, 0x502, 0x404736d, 2, 0}},
	{"+CGREG: 2,1, 81ED, 1A9CEB", Registration{"+CGREG", 1, 0x81ed, 0x1a9ceb, -1, 0}},
	{`+CGREG: 1,"1422","00000142",3,"00"`, Registration{"+CGREG", 1, 0x1422, 0x142, 3, 0}},
	{`+CGREG: 2, 1, "0426", "F00F"`, Registration{"+CGREG", 1, 0x426, 0xf00f, -1, 0}},
	{"+CEREG: 2,1, 1F00, 79D903 ,7", Registration{"+CEREG", 1, 0x1f00, 0x79d903, 7, 0}},
	{"+CEREG: 1, 1F00, 79D903 ,7", Registration{"+CEREG", 1, 0x1f00, 0x79d903, 7, 0}},
	{"+CEREG: 1, 2, 0001, 00000100, 7", Registration{"+CEREG", 2, 1, 0x100, 7, 0}},
	{"+CEREG: 2, 0001, 00000100, 7", Registration{"+CEREG", 2, 1, 0x100, 7, 0}},
	{"+CEREG: 2,1, 1F00, 20 ,79D903 ,7", Registration{"+CEREG", 1, 0x1f00, 0x79d903, 7, 0}},
	{"+CEREG: 1, 1F00, 20 ,79D903 ,7", Registration{"+CEREG", 1, 0x1f00, 0x79d903, 7, 0}},
	{"+CEREG: 2,10, 2CA8, 20 ,B5583D ,7", Registration{"+CEREG", 10, 0x2ca8, 0xb5583d, 7, 0}},
	{"+CEREG: 2,11", Registration{"+CEREG", 11, 0, 0, -1, 0}},
	{`+CEREG: 11,"1F00","79D903",7`, Registration{"+CEREG", 11, 0x1f00, 0x79d903, 7, 0}},
	{`+CEREG: 3,3,"1F00","79D903",7,0,15`, Registration{"+CEREG", 3, 0x1f00, 0x79d903, 7, 15}}, // 27.007, 10.1.22
	{"+C5GREG: 2,1,1F00,79D903,11,6,ABCDEF", Registration{"+C5GREG", 1, 0x1f00, 0x79d903, 11, 0}},
	{"+C5GREG: 1,1F00,79D903,11,6,ABCDEF", Registration{"+C5GREG", 1, 0x1f00, 0x79d903, 11, 0}},
}

func TestParseRegistration(t *testing.T) {
	for _, tt := range registrationLines {
		got, err := ParseRegistration(tt.line)
		if err != nil {
			t.Errorf("%q: %v", tt.line, err)
			continue
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.line, d)
		}
	}
	for _, bad := range []string{"", "+CREG", "+CREG:", "+CREG: ,", "+CREG: x", "+CREG: 99", "+COPS: 1", `+CREG: 1,"0001`} {
		if r, err := ParseRegistration(bad); err == nil {
			t.Errorf("%q: %+v, want an error", bad, r)
		}
	}
}

func FuzzParseRegistration(f *testing.F) {
	for _, tt := range registrationLines {
		f.Add(tt.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := ParseRegistration(line)
		if err == nil && (r.Stat < 0 || r.Stat > RLOS) {
			t.Errorf("%q: status %d", line, r.Stat)
		}
	})
}

func TestParseICCID(t *testing.T) {
	tests := []struct{ in, want string }{
		{"+QCCID: 8981100005710720466F", "8981100005710720466"},
		{"+ICCID: 8901260971129626899", "8901260971129626899"},
		{"8901260971129626899", "8901260971129626899"},
		{"+CCID: 8933150319060123456,8903150319060123456", "8933150319060123456"},
		{`+CCID: "8901260971129626899"`, "8901260971129626899"},
		{"^ICCID: 98449402003576012594", ""},
		{"+ICCID: 984402003576012594F9", "8944200053671052499"},
		{"+CCID: ERROR", ""},
		{"+CCID: 89", ""},
		{"", ""},
	}
	for _, tt := range tests {
		got, err := parseICCID(tt.in)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestParseCPIN(t *testing.T) {
	tests := []struct {
		in   string
		want SIMState
	}{
		{"READY", SIMReady}, {"SIM PIN", SIMPINRequired}, {`"SIM PIN"`, SIMPINRequired}, {"SIM PUK", SIMPUKRequired},
		{"PH-NET PIN", SIMLocked}, {"NOT READY", SIMBusy}, {"NOT INSERTED", SIMAbsent}, {"", SIMUnknown},
	}
	for _, tt := range tests {
		if got := parseCPIN(tt.in); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestRetryCounters(t *testing.T) {
	tests := []struct {
		parse func(string) (int, error)
		line  string
		want  int // -1: an error
	}{
		{parseCPINR, "+CPINR: SIM PIN,3,3", 3},
		{parseCPINR, `+CPINR: "SIM PIN",1`, 1},
		{parseCPINR, "+CPINR: SIM PUK,10,10", -1},
		{parseCPINR, "+CPINR: SIM PIN,x", -1},
		{parseCounter("+QPINC", 1), `+QPINC: "SC",2,10`, 2},
		{parseCounter("+QPINC", 1), `+QPINC: "P2",2,10`, -1},
		{parseCounter("+SPIC", 0), "+SPIC: 3,10,0,10", 3},
		{parseCounter("+UPINCNT", 0), "+UPINCNT: 2,3,10,10", 2},
		{parseCounter("^CPIN", 3), "^CPIN: READY,,10,3,10,3", 3},
		{parseCounter("^CPIN", 3), "^CPIN: READY,,10", -1},
		{parseVerify, `+CSIM: 4,"63C3"`, 3},
		{parseVerify, `+CSIM: 4,63c0`, 0},
		{parseVerify, `+CSIM: 4,"6983"`, 0},
		{parseVerify, `+CSIM: 4,"9000"`, -1},
		{parseVerify, `+CSIM: 4,"63CX"`, -1},
	}
	for _, tt := range tests {
		got, err := tt.parse(tt.line)
		if (err != nil) != (tt.want < 0) || err == nil && got != tt.want {
			t.Errorf("%q: %d, %v, want %d", tt.line, got, err, tt.want)
		}
	}
}

func TestParseSignal(t *testing.T) {
	n := func(i int) *int { return &i }
	tests := []struct {
		csq, cesq string
		want      Signal
		weak      bool
	}{
		{"+CSQ: 28,99", "+CESQ: 99,99,255,255,20,80", Signal{RSSI: n(-57), RSRP: n(-61), RSRQ: n(-10)}, false},
		{"+CSQ: 30, 99", "", Signal{RSSI: n(-53)}, false},
		{"+CSQ: 99,99", "+CESQ: 99,99,255,255,255,255", Signal{}, false},
		{"+CSQ: 2,99", "", Signal{RSSI: n(-109)}, true},
		{"+CSQ: 20,99", "+CESQ: 99,99,255,255,3,10", Signal{RSSI: n(-73), RSRP: n(-131), RSRQ: n(-19)}, true},
		{"+CSQ: x,99", "+CESQ: 1,2", Signal{}, false},
	}
	for _, tt := range tests {
		var s Signal
		s.parseCSQ(tt.csq)
		s.parseCESQ(tt.cesq)
		if d := cmp.Diff(tt.want, s); d != "" {
			t.Errorf("%q %q (-want +got):\n%s", tt.csq, tt.cesq, d)
		}
		if s.Weak() != tt.weak {
			t.Errorf("%q %q: weak is %v", tt.csq, tt.cesq, s.Weak())
		}
	}
}

// The lines are those of modems in the field.
func TestVendorSignals(t *testing.T) {
	tests := []struct {
		parse func(*Signal, string) error
		line  string
		want  string
	}{
		{(*Signal).parseQCSQ, `+QCSQ: "eMTC",-65,-85,168,-5`, "RSRP -85 dBm, RSRQ -5 dB, SINR 14 dB"},
		{(*Signal).parseQCSQ, `+QCSQ: "NOSERVICE"`, "unknown"},
		{(*Signal).parseQCSQ, `+QCSQ: "LTE",-65,-85,NaN,-5`, "unknown"},
		{(*Signal).parseCPSI, "+CPSI: LTE,Online,228-02,0x9CA4,20964868,46,EUTRAN-BAND20,6200,3,3,-178,-1089,-742,8", "RSRP -109 dBm, RSRQ -18 dB, SINR 8 dB"},
		{(*Signal).parseCPSI, "+CPSI: LTE CAT-M1,Online,238-01,0x07D0,12024586,465,EUTRAN-BAND20,6350,5,5,-16,-83,-53,10", "RSRP -83 dBm, RSRQ -16 dB, SINR 10 dB"},
		{(*Signal).parseCPSI, "+CPSI: NO SERVICE,Online", "unknown"},
		{(*Signal).parseHCSQ, `^HCSQ:"LTE",59,50,161,24`, "RSRP -91 dBm, RSRQ -8 dB, SINR 12 dB"},
		{(*Signal).parseHCSQ, `^HCSQ:"LTE",59,50,161,9999`, "unknown"},
	}
	for _, tt := range tests {
		var s Signal
		tt.parse(&s, tt.line)
		if got := s.String(); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.line, got, tt.want)
		}
	}
}

func TestParseContexts(t *testing.T) {
	tests := []struct {
		line string
		want PDPContext
	}{
		{`+CGDCONT: 1,"IP","internet","0.0.0.0",0,0,0,0`, PDPContext{1, PDPTypeIP, "internet"}},
		{`+CGDCONT: 3,"IPV4V6","3gpp","0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",0,0,0,0`, PDPContext{3, PDPTypeIPv4v6, "3gpp"}},
		{`+CGDCONT: 1,"IP","iot.t-mobile.nl.mnc040.mcc901.gprs","100.67.16.107",0,0,0,2,0`, PDPContext{1, PDPTypeIP, "iot.t-mobile.nl.mnc040.mcc901.gprs"}},
	}
	for _, tt := range tests {
		got, err := parseCGDCONT(tt.line)
		if err != nil || got != tt.want {
			t.Errorf("%q: %+v, %v", tt.line, got, err)
		}
	}
	if !hasLabels("iot.t-mobile.nl.mnc040.mcc901.gprs", "iot.t-mobile.nl") || hasLabels("soracom.io", "soracom.io") {
		t.Error("operator labels")
	}
}

func TestParseConnect(t *testing.T) {
	for text, want := range map[string]int{"CONNECT": 0, "CONNECT 150000000": 150000000, "CONNECT 115200/V42": 115200, "CONNECT x": 0,
		"CONNECT 99999999999999999999": 0} {
		if got := parseConnect(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestParseCOPS(t *testing.T) {
	tests := []struct {
		in   string
		want Operator
	}{{`0,0,"TestTel",7`, Operator{"TestTel", 7}}, {`0,2,"26803",7`, Operator{"26803", 7}}, {`0`, Operator{"", -1}}}
	for _, tt := range tests {
		got, err := parseCOPS(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("%q: %+v, %v", tt.in, got, err)
		}
	}
}

// Every parser of a modem's lines, on anything.
func FuzzParsers(f *testing.F) {
	for _, s := range []string{`+CSQ: 28,99`, `+CESQ: 99,99,255,255,20,80`, `+CGDCONT: 1,"IP","internet","0.0.0.0",0,0`, `0,0,"TestTel",7`,
		`+CPINR: SIM PIN,3,3`, `+QPINC: "SC",3,10`, `+CSIM: 4,"63C3"`, `+QCCID: 8981100005710720466F`, `CONNECT 150000000`, `"SIM PIN"`,
		`+QCSQ: "LTE",-57,-86,168,-13`, `^HCSQ:"LTE",59,50,161,24`,
		`+CPSI: LTE,Online,228-02,0x9CA4,20964868,46,EUTRAN-BAND20,6200,3,3,-178,-1089,-742,8`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var s Signal
		s.parseCSQ(line)
		s.parseCESQ(line)
		s.parseQCSQ(line)
		s.parseCPSI(line)
		s.parseHCSQ(line)
		if s.SINR != nil && (*s.SINR < -40 || *s.SINR > 60) {
			t.Error(s)
		}
		parseCGDCONT(line)
		parseCOPS(line)
		if s := parseCPIN(line); s < SIMUnknown || s > SIMLocked {
			t.Error(s)
		}
		parseConnect(line)
		parseIMEI(line)
		if n, err := parseCPINR(line); err == nil && n < 0 {
			t.Error(n)
		}
		parseCounter("+QPINC", 1)(line)
		if n, err := parseVerify(line); err == nil && (n < 0 || n > 15) {
			t.Error(n)
		}
		if v, err := parseICCID(line); err == nil && !digits(v) {
			t.Errorf("ICCID %q", v)
		}
	})
}
