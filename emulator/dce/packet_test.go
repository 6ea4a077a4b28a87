package dce

import (
	"fmt"
	"strings"
	"testing"
)

// TestContextParameters is +CGCONTRDP of a context that is not the first: the bearer is the SIM's only one all the same.
func TestContextParameters(t *testing.T) {
	const (
		standard = `+CGCONTRDP: 4,5,"soracom.io","10.128.0.1.255.255.255.255","10.128.0.1","100.127.0.53","0.0.0.0"`
		qualcomm = "+CGCONTRDP: 4,5,soracom.io,10.128.0.1,,100.127.0.53,0.0.0.0"
	)
	for name, want := range map[string]string{
		"quectel-ec25": qualcomm, "quectel-eg25-g": qualcomm, "quectel-bg96": qualcomm, "simcom-sim7600": qualcomm, "simcom-sim7080": qualcomm,
		"ublox-lara-r6": standard, "huawei-ms2372": standard,
	} {
		t.Run(name, func(t *testing.T) {
			_, u := withPersonality(t, name)
			u.expect(`AT+CGDCONT=4,"IP","soracom.io";+CGACT=1,4;+CGCONTRDP=4`, ok(want))
		})
	}
}

// TestAddresses is +CGPADDR of contexts that are active, ask for IPv6, and for both IPs.
func TestAddresses(t *testing.T) {
	for name, quote := range map[string]string{"quectel-ec25": `"`, "quectel-eg25-g": `"`, "simcom-sim7600": ""} {
		t.Run(name, func(t *testing.T) {
			_, u := withPersonality(t, name)
			want := []string{"10.128.0.1", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0", "0.0.0.0,0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"}
			for i := range want {
				want[i] = fmt.Sprintf("+CGPADDR: %d,%s%s%s", i+1, quote, want[i], quote)
			}
			u.expect(`AT+CGDCONT=2,"IPV6","ims";+CGPADDR`, ok(strings.Join(want, "\r\n")))
		})
	}
}

// TestContextOptions: +CGDCONT takes what its own test form lists (TS 27.007 section 10.1.1).
func TestContextOptions(t *testing.T) {
	for _, tt := range []struct {
		personality string
		good, bad   []string
	}{
		{"quectel-ec25", []string{"", ",", ",0,0", ",2,4,1,1", ",,,1"}, []string{",9", ",3", ",0,5", ",0,0,2", `,"0"`, ",-1", ",0,0,0,0,0"}},
		{"ublox-lara-r6", []string{",0,0,0,2,1,1,1,0,0,0"}, []string{",1", ",0,1", ",0,0,0,3", ",0,0,0,2,1,1,1,0,0,0,0"}},
	} {
		p, err := LoadPersonality(tt.personality)
		if err != nil {
			t.Fatal(err)
		}
		u := newBench(t, func(c *Config) { c.Personality = p }).ready("at")
		u.expect("AT+CMEE=1", done)
		for _, options := range tt.good {
			u.expect(`AT+CGDCONT=4,"IP","soracom.io",""`+options, done)
		}
		for _, options := range tt.bad {
			u.expect(`AT+CGDCONT=4,"IP","elsewhere",""`+options, "\r\n+CME ERROR: 50\r\n")
		}
		u.expect("AT+CGDCONT=4", done)
	}
	for _, bad := range []string{"", "0", "(0", "(a)", "(0),1", "(0),()"} {
		if _, err := parseOptions(bad); err == nil {
			t.Errorf("options %q are taken", bad)
		}
	}
}

// TestContextOptionsAreKept: what is left out is the modem's own, and not what was there before.
func TestContextOptionsAreKept(t *testing.T) {
	for _, tt := range []struct{ personality, set, want string }{
		{"quectel-ec25", `+CGDCONT=4,"IP","ims","",,,,1`, `"ims","0.0.0.0",0,0,0,1`},
		{"quectel-ec25", `+CGDCONT=4,"IP","ims","",1,,,1;+CGDCONT=4,"IP","ims",,,02`, `"ims","0.0.0.0",0,2,0,0`},
		{"simcom-sim7080", `+CGDCONT=4,"IP","ims","",0,1`, `"ims","0.0.0.0",0,1,0`},
		{"ublox-lara-r6", `+CGDCONT=4,"IP","ims"`, `"ims","0.0.0.0",0,0,0,2,0,0,0,0,0,0`},
		{"ublox-lara-r6", `+CGDCONT=4,"IP","ims","",,,,0,1`, `"ims","0.0.0.0",0,0,0,0,1,0,0,0,0,0`},
	} {
		_, u := withPersonality(t, tt.personality)
		u.expect("AT+CGATT=0;+CGDCONT=1;+CGDCONT=2;+CGDCONT=3;"+tt.set+";+CGDCONT?", ok(`+CGDCONT: 4,"IP",`+tt.want))
	}
}

// TestEmergencyContext is the context for emergency calls alone: its <request_type> is 1 (TS 27.007 section 10.1.1).
func TestEmergencyContext(t *testing.T) {
	for _, name := range []string{"quectel-ec25", "quectel-eg25-g", "simcom-sim7600"} {
		_, u := withPersonality(t, name)
		u.expect("AT+CGATT=0;+CGDCONT=1;+CGDCONT=2;+CGDCONT?", ok(`+CGDCONT: 3,"IPV4V6","sos","0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",0,0,0,1`))
	}
}
