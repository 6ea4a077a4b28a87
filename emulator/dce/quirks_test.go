package dce

import (
	"strings"
	"testing"
)

// TestEarlyDial is a modem of which only the quirk is new: dialling too soon behind a command fails.
func TestEarlyDial(t *testing.T) {
	p, err := ParsePersonality([]byte("name: hasty\ndoc: x\nextends: quectel-ec25\nquirks: {early_dial: {value: 1h, source: inferred}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *Config) { c.Personality = p; c.Delay = 1e-6 })
	b.mu.Lock()
	b.booting, b.restart, b.reg.stat = false, false, RegisteredHome
	b.delay = 1
	b.mu.Unlock()
	u := b.user("at")
	u.send("ATE0\r")
	u.await("OK\r\n")
	u.expect("ATD*99#", "\r\nNO CARRIER\r\n")
}

// TestDialWithoutConnect is what ModemManager's issue 144 tells of: with +CMER on, data mode begins with no CONNECT.
func TestDialWithoutConnect(t *testing.T) {
	p, err := LoadPersonality("simcom-sim7600")
	if err != nil {
		t.Fatal(err)
	}
	u := newBench(t, func(c *Config) { c.Personality = p }).ready("ppp")
	u.expect(`AT+CGDCONT=1,"IP","soracom.io";+CMER=3,0,0,1`, "\r\nOK\r\n")
	u.send("ATD*99#\r")
	if got := u.await("~"); strings.Contains(got, "CONNECT") {
		t.Errorf("%q", got)
	}
}

// TestRelatives is inheritance: what another modem was seen to do is inferred here, what a manual says stays, and lists are joined.
func TestRelatives(t *testing.T) {
	p, err := ParsePersonality([]byte("name: x\ndoc: x\nextends: quectel-eg25-g\nreplies: [{command: +QCCID, exec: [mine], source: manual}]\nomit: [{command: +QENG, source: manual}, {command: +QGPS, source: manual}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Identity.Revision.Source; s != SourceInferred {
		t.Errorf("a relative's transcript is %s", s)
	}
	if s := p.Packet.CFUN.Source; s != SourceManual {
		t.Errorf("the standard's fact is %s", s)
	}
	u := newBench(t, func(c *Config) { c.Personality = p }).ready("at")
	u.expect("AT+QCCID", "\r\nmine\r\n\r\nOK\r\n")
	u.expect(`AT+QENG="servingcell"`, "\r\nERROR\r\n")
	u.expect("AT+CSUB", "\r\nSubEdition: V04\r\n\r\nOK\r\n")
	u.expect("AT+CGMM", "\r\nEG25\r\n\r\nOK\r\n")
	u.expect("AT+CMEE=1;+QGPSEND", "\r\n+CME ERROR: 505\r\n") // which asks a setting that was left out
}

// TestBands are masks of which the last parameter, when they take effect, is not kept.
func TestBands(t *testing.T) {
	p, err := LoadPersonality("quectel-bg96")
	if err != nil {
		t.Fatal(err)
	}
	u := newBench(t, func(c *Config) { c.Personality = p }).ready("at")
	u.expect(`AT+QCFG="band"`, "\r\n+QCFG: \"band\",0xf,0x400a0e189f,0xa0e189f\r\n\r\nOK\r\n")
	u.expect(`AT+QCFG="band",0xF,0x80,0xa0e189f,1`, "\r\nOK\r\n")
	u.expect(`AT+QCFG="band"`, "\r\n+QCFG: \"band\",0xF,0x80,0xa0e189f\r\n\r\nOK\r\n")
	u.expect(`AT+QCFG="iotopmode",0,1;+QCFG="iotopmode"`, "\r\n+QCFG: \"iotopmode\",0\r\n\r\nOK\r\n")
	for _, wrong := range []string{"0xf,0x80", "0xf,0x80,all", "0xf,0x80,0x80,2"} {
		u.expect(`AT+CMEE=1;+QCFG="band",`+wrong, "\r\n+CME ERROR: 50\r\n")
	}
}

// TestAnswersThatRun cannot run into themselves.
func TestAnswersThatRun(t *testing.T) {
	p, err := ParsePersonality([]byte("name: x\ndoc: x\nextends: quectel-ec25\nreplies:\n  - {command: +LOOP, exec: [{run: +LOOP}], source: inferred}\n  - {command: +ONCE, exec: [{first: true, lines: [once]}, {result: BUSY}], source: inferred}\n  - {command: +FAIL, exec: [{run: +NOPE, lines: [x]}], source: inferred}\n  - {command: +AGAIN, exec: [{run: \"+CFUN=1,1\", then: [GOOD BYE]}], source: inferred}\n"))
	if err != nil {
		t.Fatal(err)
	}
	u := newBench(t, func(c *Config) { c.Personality = p }).ready("at")
	u.expect("AT+LOOP", "\r\nERROR\r\n")
	u.expect("AT+ONCE", "\r\nonce\r\n\r\nOK\r\n")
	u.expect("AT+ONCE", "\r\nBUSY\r\n")
	u.expect("AT+FAIL", "\r\nERROR\r\n")
	u.send("AT+AGAIN\r") // what follows the other's answer follows this one
	u.await("\r\nRDY\r\n")
}
