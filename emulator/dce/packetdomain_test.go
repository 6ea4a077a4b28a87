package dce

import (
	"strings"
	"testing"
	"time"
)

// TestRegistrationLevels are <n> 3 to 5 of a modem that has them.
func TestRegistrationLevels(t *testing.T) {
	p, err := LoadPersonality("ublox-lara-r6")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *Config) { c.Personality = p; c.SIM.DataOnly = true })
	u := b.ready("at")
	u.expect("AT+CEREG=?;+CREG=?", "\r\n+CEREG: (0-5)\r\n\r\n+CREG: (0-3)\r\n\r\nOK\r\n")
	u.expect("AT+CREG?;+CEREG?", "\r\n+CREG: 0,3\r\n\r\n+CEREG: 0,1\r\n\r\nOK\r\n")
	u.expect("AT+CREG=5", "\r\nERROR\r\n")
	u.expect("AT+CEREG=5;+CEREG?", "\r\n+CEREG: 5,1,\"1F00\",\"0079D903\",7\r\n\r\nOK\r\n")
	b.DenyRegistration(true)
	u.await("\r\n+CEREG: 3,,,,0,11\r\n")
	u.expect("AT+CEREG?", "\r\n+CEREG: 5,3,,,,0,11\r\n\r\nOK\r\n")
	u.expect("AT+CEREG", "\r\nOK\r\n")
	b.DenyRegistration(false)
	u.registered()
}

func TestRoaming(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Cell = Cell{PLMN: "310410", Operator: "AT&T", TAC: 1, ID: 2, Band: 2, EARFCN: 900} })
	b.on()
	u := b.user("at")
	u.awaitBoot(b)
	b.statusIs(func(s Status) bool { return s.Registration == int(RegisteredRoaming) })
	u.send("ATE0\r")
	u.await("OK\r\n")
	u.expect("AT+CEREG?;+CIND?", "\r\n+CEREG: 0,5\r\n\r\n+CIND: 5,5,1,0,1,0,0\r\n\r\nOK\r\n")
	u.expect("AT+CRSM=176,28589,0,0,4", "\r\n+CRSM: 144,0,\"00000002\"\r\n\r\nOK\r\n")
}

func TestOperators(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	for _, tt := range [][2]string{
		{"AT+COPS=?", "\r\n+COPS: (2,\"NTT DOCOMO\",\"NTT DOCOMO\",\"44010\",7),,(0-4),(0-2)\r\n\r\nOK\r\n"},
		{`AT+CSCS="UCS2";+COPS?`, "\r\n+COPS: 0,0,\"004E0054005400200044004F0043004F004D004F\",7\r\n\r\nOK\r\n"},
		{`AT+CSCS="GSM";+COPS=3,1;+COPS?`, "\r\n+COPS: 0,1,\"NTT DOCOMO\",7\r\n\r\nOK\r\n"},
		{`AT+COPS=1,2,"44010",7;+COPS?`, "\r\n+COPS: 1,2,\"44010\",7\r\n\r\nOK\r\n"},
		{`AT+COPS=1,2,"44010",0`, "\r\n+CME ERROR: 30\r\n"},
		{`AT+COPS=1,2,"44020"`, "\r\n+CME ERROR: 30\r\n"},
		{"AT+COPS?", "\r\n+COPS: 1\r\n\r\nOK\r\n"},
		{"AT+COPS=1", "\r\n+CME ERROR: 50\r\n"}, {"AT+COPS=9", "\r\n+CME ERROR: 50\r\n"},
		{`AT+COPS=4,2,"44020"`, "\r\nOK\r\n"},
	} {
		u.expect(tt[0], tt[1])
	}
	u.registered()
	for _, tt := range [][2]string{
		{"AT+COPS=2;+COPS?", "\r\n+COPS: 2\r\n\r\nOK\r\n"},
		{"AT+COPS=0", "\r\nOK\r\n"},
		{"AT+CPLS=1;+CPLS?", "\r\n+CPLS: 1\r\n\r\nOK\r\n"}, {"AT+CPLS=3", "\r\n+CME ERROR: 50\r\n"},
		{"AT+CPOL=?", "\r\n+CPOL: (1-20),(0-2)\r\n\r\nOK\r\n"},
		{"AT+CPOL=,2;+CPOL?", "\r\nOK\r\n"},
		{`AT+CPOL=3,2,"44010";+CPOL=,2,"44020";+CPOL?`, "\r\n+CPOL: 1,2,\"44020\"\r\n+CPOL: 3,2,\"44010\"\r\n\r\nOK\r\n"},
		{"AT+CPOL=,0;+CPOL=1;+CPOL?", "\r\n+CPOL: 3,0,\"NTT DOCOMO\"\r\n\r\nOK\r\n"},
		{`AT+CPOL=1,2,"44"`, "\r\n+CME ERROR: 50\r\n"}, {"AT+CPOL=21", "\r\n+CME ERROR: 50\r\n"},
		{"AT+COPN", "\r\n+COPN: \"44010\",\"NTT DOCOMO\"\r\n\r\nOK\r\n"},
		{"AT+CFUN=0;+COPS=?", "\r\n+CME ERROR: 30\r\n"},
		{"AT+CPIN?", "\r\n+CME ERROR: 13\r\n"}, {"AT+CIMI", "\r\n+CME ERROR: 13\r\n"},
		{"AT+CFUN=1", "\r\nOK\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n"},
	} {
		u.expect(tt[0], tt[1])
	}
}

// TestEventBuffer is <bfr> of +CGEREP.
func TestEventBuffer(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect(`AT+CGDCONT=2,"IP","soracom.io";+CGACT=1,2;+CGACT=0,2`, "\r\nOK\r\n")
	u.expect("AT+CGEREP=2,1;+CGEREP?", "\r\n+CGEREP: 2,1\r\n\r\nOK\r\n\r\n+CGEV: ME PDN ACT 1\r\n\r\n+CGEV: ME PDN ACT 2\r\n\r\n+CGEV: ME PDN DEACT 2\r\n")
	u.expect("AT+CGEREP=0;+CGACT=1,1", "\r\nOK\r\n")
	u.expect("AT+CGEREP=1", "\r\nOK\r\n")
	u.expect("AT+CGEREP=3", "\r\n+CME ERROR: 50\r\n")
	b.DeactivatePDN(1)
	if got := u.await("NW PDN DEACT 1\r\n"); got != "\r\n+CGEV: NW PDN DEACT 1\r\n" {
		t.Errorf("%q", got)
	}
}

func TestIndicators(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CIND=?", "\r\n+CIND: (\"battchg\",(0-5)),(\"signal\",(0-5)),(\"service\",(0,1)),(\"call\",(0,1)),(\"roam\",(0,1)),(\"smsfull\",(0,1)),(\"callsetup\",(0-3))\r\n\r\nOK\r\n")
	u.expect("AT+CIND?", "\r\n+CIND: 5,5,1,0,0,0,0\r\n\r\nOK\r\n")
	u.expect("AT+CMER=3,0,0,1;+CMER?", "\r\n+CMER: 3,0,0,1,0\r\n\r\nOK\r\n")
	b.SetSignal(Signal{RSSI: -113, RSRP: -140, RSRQ: -19, SINR: -20})
	u.await("\r\n+CIEV: 2,0\r\n")
	u.expect("AT+CFUN=4", "\r\nOK\r\n\r\n+CIEV: 3,0\r\n")
	u.expect("AT+CMER=4", "\r\n+CME ERROR: 50\r\n")
	for _, bad := range []string{"1,1", "1,0,1", "1,0,0,3", "1,0,0,1,2", "1,0,0,1,1,1"} { // beyond what +CMER=? says
		u.expect("AT+CMER="+bad, "\r\n+CME ERROR: 50\r\n")
	}
}

func TestNetworkTime(t *testing.T) {
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	b := newBench(t, func(c *Config) { c.Now = func() time.Time { return at } })
	u := b.ready("at")
	u.expect("AT+CCLK?", "\r\n+CCLK: \"26/11/22,10:02:03+36\"\r\n\r\nOK\r\n")
	u.expect(`AT+CCLK="80/01/06,00:00:00+00";+CTZU=1;+CTZR=1;+CGATT=0`, "\r\nOK\r\n")
	u.expect("AT+CCLK?", "\r\n+CCLK: \"80/01/06,00:00:00+00\"\r\n\r\nOK\r\n")
	u.send("AT+CGATT=1\r")
	u.awaitAll("OK", `\+CTZV: \+36`)
	u.expect("AT+CCLK?", "\r\n+CCLK: \"26/11/22,10:02:03+36\"\r\n\r\nOK\r\n")
	u.expect("AT+CTZR=2;+CGATT=0", "\r\nOK\r\n")
	u.send("AT+CGATT=1\r")
	u.awaitAll("OK", `\+CTZE: "\+36",0,"2026/11/22,10:02:03"`)
	u.expect("AT+QLTS", "\r\n+QLTS: \"2026/11/22,01:02:03+36,0\"\r\n\r\nOK\r\n")
}

func TestUSSD(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CUSD=1;+CUSD?", "\r\n+CUSD: 1\r\n\r\nOK\r\n")
	u.expect(`AT+CUSD=1,"*100#",15`, "\r\nOK\r\n\r\n+CUSD: 4\r\n")
	u.expect("AT+CUSD=2", "\r\nOK\r\n")
	u.expect("AT+CUSD=3", "\r\n+CME ERROR: 50\r\n")
	u.expect(`AT+CGATT=0;+CUSD=1,"*100#"`, "\r\n+CME ERROR: 30\r\n")
}

// TestTypeOfContext asks an IPv4 network for what it does not give. +CGDCONT takes it all the same, as modems do.
func TestTypeOfContext(t *testing.T) {
	u := newBench(t, nil).ready("at")
	u.expect(`AT+CGDCONT=1,"IPV6","soracom.io";+CGPADDR=1`, ok(`+CGPADDR: 1,"10.128.0.1"`)) // the default bearer is as it was at the attach
	u.expect("AT+CGATT=0;+CGATT=1;+CGPADDR=1", ok(`+CGPADDR: 1,"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"`))
	u.expect("AT+CGACT=1,1", cmeIs(148))
	u.expect("AT+CEER", ok("+CEER: PDN type IPv4 only allowed, cause 50"))
	u.expect(`AT+CGDCONT=1,"PPP","soracom.io";+CGACT=1,1`, cmeIs(148))
	u.expect("AT+CEER", ok("+CEER: unknown PDN type PPP, cause 28"))
	u.expect(`AT+CGDCONT=1,"IPV4V6","soracom.io";+CGACT=1,1;+CGPADDR=1`, ok(`+CGPADDR: 1,"10.128.0.1"`))
}

// TestGrantedAPN is the network's APN where the context has none, or has it in other letters.
func TestGrantedAPN(t *testing.T) {
	for _, tt := range []struct{ name, apn, command, want string }{
		{"quectel-ec25", "", "+CGCONTRDP=1", `+CGCONTRDP: 1,5,soracom.io,10.128.0.1,,100.127.0.53,0.0.0.0`},
		{"quectel-ec25", "Soracom.IO", "+CGCONTRDP=1", `+CGCONTRDP: 1,5,soracom.io,10.128.0.1,,100.127.0.53,0.0.0.0`},
		{"simcom-sim7080", "", "+CGNAPN", `+CGNAPN: 1,"soracom.io"`},
	} {
		t.Run(tt.name+" "+tt.apn, func(t *testing.T) {
			b, u := withPersonality(t, tt.name)
			if tt.command == "+CGNAPN" { // what the attach brought is there with no context
				u.expect("AT+CGNAPN", ok(tt.want))
			}
			u.expect(`AT+CGDCONT=1,"IP","`+tt.apn+`";+CGACT=1,1`, done)
			u.expect("AT"+tt.command, ok(tt.want))
			if tt.command != "+CGNAPN" {
				b.SetCoverage(false) // the attach lasts, and so does the context
				u.expect("AT"+tt.command, ok(tt.want))
				b.SetCoverage(true)
			}
			u.expect("AT+CGATT=0;+CGCONTRDP", done)
			if tt.command == "+CGNAPN" {
				u.expect("AT+CGNAPN", ok(`+CGNAPN: 0,""`))
			}
		})
	}
}

// TestAuthentication is +CGAUTH, and PAP and CHAP of +QICSGP.
func TestAuthentication(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect(`AT+CGAUTH=1,2,"a","b"`, "\r\nOK\r\n")
	u.send("AT+CGAUTH?\r")
	if got := u.await("OK\r\n"); !strings.Contains(got, `+CGAUTH: 1,2,"a","b"`) {
		t.Errorf("%q", got)
	}
	u.expect(`AT+QICSGP=1,3,"soracom.io","sora","x",2;+QICSGP=1`, "\r\n+QICSGP: 3,\"soracom.io\",\"sora\",\"x\",2\r\n\r\nOK\r\n")
	u.expect("AT+QIACT=1;+QIACT?", "\r\n+QIACT: 1,1,3,\"10.128.0.1\"\r\n\r\nOK\r\n")
	u.expect(`AT+QENG="servingcell"`, "\r\n+QENG: \"servingcell\",\"NOCONN\",\"LTE\",\"FDD\",440,10,79D903,35,100,1,5,5,1F00,-81,-10,-52,19,-\r\n\r\nOK\r\n")
	u.expect("AT+QIDEACT=1;+QIACT?", "\r\nOK\r\n")
	u.expect(`AT+CGAUTH=1,0`, "\r\nOK\r\n")
	u.expect(`AT+CGAUTH=9,1,"a","b"`, "\r\n+CME ERROR: 21\r\n")
	u.expect("AT+QPOWD=1", "\r\nOK\r\n\r\nPOWERED DOWN\r\n")
}
