package dce

import (
	"strings"
	"testing"
)

// changed is each setting away from the factory's, and as it reads then and after AT&F.
var changed = []struct{ set, read, now, factory string }{
	{"+CREG=2", "+CREG?", `+CREG: 2,1,"1F00","79D903",7`, "+CREG: 0,1"},
	{"+CGREG=1", "+CGREG?", "+CGREG: 1,1", "+CGREG: 0,1"},
	{"+CEREG=1", "+CEREG?", "+CEREG: 1,1", "+CEREG: 0,1"},
	{"+CGEREP=2,1", "+CGEREP?", "+CGEREP: 2,1", "+CGEREP: 0,0"},
	{"+CTZR=1", "+CTZR?", "+CTZR: 1", "+CTZR: 0"},
	{`+CSCS="UCS2"`, "+CSCS?", `+CSCS: "UCS2"`, `+CSCS: "GSM"`},
	{"+CSSN=1,1", "+CSSN?", "+CSSN: 1,1", "+CSSN: 0,0"},
	{"+CRC=1", "+CRC?", "+CRC: 1", "+CRC: 0"},
	{"+CLIP=1", "+CLIP?", "+CLIP: 1,0", "+CLIP: 0,0"},
	{"+CUSD=1", "+CUSD?", "+CUSD: 1", "+CUSD: 0"},
	{"+CMGF=1", "+CMGF?", "+CMGF: 1", "+CMGF: 0"},
	{"+CSDH=1", "+CSDH?", "+CSDH: 1", "+CSDH: 0"},
	{"+CSMP=49,10,0,8", "+CSMP?", "+CSMP: 49,10,0,8", "+CSMP: 17,167,0,0"},
	{"+CNMI=1,2,0,1,0", "+CNMI?", "+CNMI: 1,2,0,1,0", "+CNMI: 2,1,0,0,0"},
	{"+CMMS=2", "+CMMS?", "+CMMS: 2", "+CMMS: 0"},
}

// TestFactorySettings is the manual's table of what AT&F restores; what is not in it stays.
func TestFactorySettings(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	b.statusIs(func(s Status) bool { return s.Registration == int(RegisteredHome) })
	u.expect("AT+CGEREP=1,0;+CGEREP=0", done) // forgets the default bearer's
	for _, c := range changed {
		u.expect("AT"+c.set, "\r\nOK\r\n")
		u.expect("AT"+c.read, "\r\n"+c.now+"\r\n\r\nOK\r\n")
	}
	u.expect(`AT+CSMS=1;+CPMS="SM","SM","SM"`, "\r\n+CSMS: 1,1,1\r\n\r\n+CPMS: 0,50,0,50,0,50\r\n\r\nOK\r\n")
	u.expect("AT+CMEE=2;+CMER=3,0,0,2;+COPS=3,2;+IFC=2,2", "\r\nOK\r\n")
	u.expect("AT&F;E0", "\r\nOK\r\n")
	for _, c := range changed {
		u.expect("AT"+c.read, "\r\n"+c.factory+"\r\n\r\nOK\r\n")
	}
	u.expect("AT+CSMS?;+CPMS?", "\r\n+CSMS: 0,1,1,1\r\n\r\n+CPMS: \"ME\",0,255,\"ME\",0,255,\"ME\",0,255\r\n\r\nOK\r\n")
	u.expect("AT+CMEE?;+CMER?;+IFC?", "\r\n+CMEE: 1\r\n\r\n+CMER: 3,0,0,2,0\r\n\r\n+IFC: 2,2\r\n\r\nOK\r\n")
	u.expect("AT+COPS?", "\r\n+COPS: 0,2,\"44010\",7\r\n\r\nOK\r\n")
}

// TestStoredProfile is the manual's tables of what AT&W stores and ATZ restores.
func TestStoredProfile(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	b.statusIs(func(s Status) bool { return s.Registration == int(RegisteredHome) })
	u.expect("ATS0=2;X3;+CREG=1;+CSDH=1;+CMEE=2;&W", "\r\nOK\r\n")
	u.expect("ATS0=0;X0;+CREG=2;+CSDH=0;+CMEE=0;S3=13", "\r\nOK\r\n")
	u.expect("ATZ", "\r\nOK\r\n")
	u.expect("ATS0?;+CREG?", "\r\n002\r\n\r\n+CREG: 1,1\r\n\r\nOK\r\n")
	u.expect("AT+CSDH?;+CMEE?", "\r\n+CSDH: 0\r\n\r\n+CMEE: 0\r\n\r\nOK\r\n") // not in a profile
	u.expect("AT+CREG=0", "\r\nOK\r\n")
	u.expect("AT&F;E0;+CREG?;S0?", "\r\n+CREG: 0,1\r\n\r\n000\r\n\r\nOK\r\n")

	b.Reset()
	u.awaitBoot(b)
	u.send("ATE0\r")
	u.await("OK\r\n")
	b.statusIs(func(s Status) bool { return s.Registration == int(RegisteredHome) })
	u.send("AT+CREG?;S0?\r")
	u.await("+CREG: 1,1\r\n\r\n002\r\n\r\nOK\r\n")
}

// TestResetWithoutProfile is ATZ on a modem that never saw AT&W: the factory's values of what a profile holds, and of nothing else.
func TestResetWithoutProfile(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	b.statusIs(func(s Status) bool { return s.Registration == int(RegisteredHome) })
	u.expect("ATS0=2;+CEREG=2;+CNMI=1,2", "\r\nOK\r\n")
	u.expect("ATZ;E0;S0?;+CEREG?;+CNMI?", "\r\n000\r\n\r\n+CEREG: 0,1\r\n\r\n+CNMI: 1,2,0,0,0\r\n\r\nOK\r\n")
}

// TestHeldResultsAfterFactoryReset: +CNMI is back in a mode that holds nothing back.
func TestHeldResultsAfterFactoryReset(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CNMI=0,1", "\r\nOK\r\n")
	b.indicate(`+CMTI: "ME",0`)
	u.send("AT&F\r")
	u.await("\r\nOK\r\n\r\n+CMTI: \"ME\",0\r\n")
}

// TestProfileNames: a personality cannot name what is no setting.
func TestProfileNames(t *testing.T) {
	for name, want := range map[string]string{"+CGMI": `"+CGMI" is not a setting`, "S99": `"S99" is not a setting`, "+CREG": ""} {
		_, err := ParsePersonality([]byte("name: x\nextends: quectel-ec25\nline: {factory: {value: [\"" + name + "\"], source: manual}}\n"))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
