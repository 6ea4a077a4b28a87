package dce

import (
	"strings"
	"testing"
)

func TestBasicCommands(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	for _, tt := range []struct{ name, send, want string }{
		{"lower case", "at\r", "\r\nOK\r\n"},
		{"LF after CR", "AT\r\n", "\r\nOK\r\n"},
		{"noise before", "\x7e\xff}#\xc0!~xyAT\r", "\r\nOK\r\n"},
		{"AAT", "aAT\r", "\r\nOK\r\n"},
		{"again", "A/", "\r\nOK\r\n"},
		{"editing", "ATX\x08E0\r", "\r\nOK\r\n"},
		{"unknown", "AT+NOPE\r", "\r\nERROR\r\n"},
		{"unknown form", "AT+CSQ=1\r", "\r\nERROR\r\n"},
		{"no command", "AT?\r", "\r\nERROR\r\n"},
		{"what comes before a mistake is done", "AT+CSQ;!\r", "\r\n+CSQ: 30,99\r\n\r\nERROR\r\n"},
		{"nothing after an error", "AT+NOPE;+CSQ\r", "\r\nERROR\r\n"},
		{"two answers", "AT+CSQ;+CESQ\r", "\r\n+CSQ: 30,99\r\n\r\n+CESQ: 99,99,255,255,20,60\r\n\r\nOK\r\n"},
		{"register", "ATS5?\r", "\r\n008\r\n\r\nOK\r\n"},
		{"set register", "ATS7=60;S7?\r", "\r\n060\r\n\r\nOK\r\n"},
		{"register out of bounds", "ATS4=200\r", "\r\nERROR\r\n"},
		{"unknown register", "ATS99=1\r", "\r\nERROR\r\n"},
		{"response formatting", "ATS4=0\r", "\r\x00OK\r\x00"},
		{"and back", "ATS4=10\r", "\r\nOK\r\n"},
		{"numeric", "ATV0\r", "0\r"},
		{"numeric answer", "AT+CSQ\r", "+CSQ: 30,99\r\n0\r"},
		{"numeric error", "AT+NOPE\r", "4\r"},
		{"verbose", "ATV1\r", "\r\nOK\r\n"},
		{"quiet answer, and verbose again", "ATQ1\rAT+CSQ\rATQ0\r", "\r\n+CSQ: 30,99\r\n\r\nOK\r\n"},
		{"CME numeric", "AT+CMEE=1;+CPIN=\"1\"\r", "\r\n+CME ERROR: 50\r\n"},
		{"CME verbose", "AT+CMEE=2;+CPIN=\"1\"\r", "\r\n+CME ERROR: Incorrect parameters\r\n"},
		{"CME off", "AT+CMEE=0;+CPIN=\"1\"\r", "\r\nERROR\r\n"},
		{"kept value", "AT+CSCS=\"IRA\";+CSCS?\r", "\r\n+CSCS: \"IRA\"\r\n\r\nOK\r\n"},
		{"value not allowed", "AT+CSCS=\"XYZ\"\r", "\r\nERROR\r\n"},
		{"voice call", "ATD0312345678;\r", "\r\nNO CARRIER\r\n"},
		{"undefined context", "ATD*99***9#\r", "\r\nERROR\r\n"},
		{"too long", "AT" + strings.Repeat("E", 5000) + "\r", "\r\nERROR\r\n"},
		{"and it goes on", "AT\r", "\r\nOK\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u.send(tt.send)
			if got := u.await(tt.want); got != tt.want {
				t.Errorf("%q gave %q, want %q", tt.send, got, tt.want)
			}
		})
	}
}

func TestSettingsArePerPortAndStored(t *testing.T) {
	b := newBench(t, nil)
	at := b.ready("at")
	at.expect("ATS7=60;&W", "\r\nOK\r\n")
	other := b.user("ppp")
	other.send("ATS7?\r")
	other.await("060\r\n\r\nOK\r\n") // the stored profile holds for a port that opens now
	other.expect("ATS7=30", "\r\nOK\r\n")
	at.expect("ATS7?", "\r\n060\r\n\r\nOK\r\n")
	other.expect("ATZS7?", "\r\n060\r\n\r\nOK\r\n")
}

func TestSIMLock(t *testing.T) {
	b := newBench(t, func(c *Config) { c.SIM.PIN, c.SIM.PUK = "1234", "87654321" })
	b.on()
	u := b.user("at")
	u.awaitBoot(b)
	u.send("ATE0+CMEE=1\r")
	u.await("OK\r\n")
	for _, tt := range []struct{ name, send, want string }{
		{"locked", "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n"},
		{"no IMSI yet", "AT+CIMI", "\r\n+CME ERROR: 11\r\n"},
		{"nor from its file", "AT+CRSM=176,28423,0,0,9", "\r\n+CRSM: 105,130,\"\"\r\n\r\nOK\r\n"},
		{"the card tells its number", "AT+CRSM=176,12258,0,0,10", "\r\n+CRSM: 144,0,\"981801000000000000F2\"\r\n\r\nOK\r\n"},
		{"as does the modem", "AT+QCCID", "\r\n+QCCID: 8981100000000000002\r\n\r\nOK\r\n"},
		{"wrong", `AT+CPIN="0000"`, "\r\n+CME ERROR: 16\r\n"},
		{"two tries left", `AT+QPINC="SC"`, "\r\n+QPINC: \"SC\",2,10\r\n\r\nOK\r\n"},
		{"says the card", `AT+CSIM=10,"0020000100"`, "\r\n+CSIM: 4,\"63C2\"\r\n\r\nOK\r\n"},
		{"and of PUK2", `AT+CSIM=10,"002C008100"`, "\r\n+CSIM: 4,\"63CA\"\r\n\r\nOK\r\n"},
		{"no such instruction", `AT+CSIM=10,"0088008100"`, "\r\n+CSIM: 4,\"6D00\"\r\n\r\nOK\r\n"},
		{"no such key", `AT+CSIM=10,"0020000200"`, "\r\n+CSIM: 4,\"6A88\"\r\n\r\nOK\r\n"},
		{"wrong length", `AT+CSIM=8,"0020000100"`, "\r\n+CME ERROR: 50\r\n"},
		{"no APDU", `AT+CSIM=4,"0020"`, "\r\n+CME ERROR: 50\r\n"},
		{"of all", "AT+QPINC?", "\r\n+QPINC: \"SC\",2,10\r\n+QPINC: \"P2\",3,10\r\n\r\nOK\r\n"},
		{"of none", `AT+QPINC="XX"`, "\r\nERROR\r\n"},
		{"wrong again", `AT+CPIN="0000"`, "\r\n+CME ERROR: 16\r\n"},
		{"once too often", `AT+CPIN="0000"`, "\r\n+CME ERROR: 12\r\n"},
		{"blocked, says the card", `AT+CSIM=10,"0020000100"`, "\r\n+CSIM: 4,\"6983\"\r\n\r\nOK\r\n"},
		{"blocked", "AT+CPIN?", "\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n"},
		{"the right PIN is too late", `AT+CPIN="1234"`, "\r\n+CME ERROR: 12\r\n"},
		{"wrong PUK", `AT+CPIN="11111111","4321"`, "\r\n+CME ERROR: 16\r\n"},
		{"right PUK", `AT+CPIN="87654321","4321"`, "\r\nOK\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n"},
		{"open", "AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n"},
		{"IMSI", "AT+CIMI", "\r\n440101234567890\r\n\r\nOK\r\n"},
		{"lock is on", `AT+CLCK="SC",2`, "\r\n+CLCK: 1\r\n\r\nOK\r\n"},
		{"change", `AT+CPWD="SC","4321","9999"`, "\r\nOK\r\n"},
		{"lock off", `AT+CLCK="SC",0,"9999"`, "\r\nOK\r\n"},
		{"lock is off", `AT+CLCK="SC",2`, "\r\n+CLCK: 0\r\n\r\nOK\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) { u.t = t; u.expect(tt.send, tt.want) })
	}
	u.t = t
	u.registered()
}

func TestNoSIM(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CMEE=2;+CEREG=1;+CGEREP=2", "\r\nOK\r\n")
	b.SetSIMInserted(false)
	want := "\r\n+CPIN: NOT READY\r\n\r\n+CGEV: ME DETACH\r\n\r\n+CEREG: 0\r\n"
	if got := u.await("+CEREG: 0\r\n"); got != want {
		t.Errorf("without SIM: %q, want %q", got, want)
	}
	u.expect("AT+CPIN?", "\r\n+CME ERROR: SIM not inserted\r\n")
	u.expect("AT+CIMI", "\r\n+CME ERROR: SIM not inserted\r\n")
	u.expect("ATD*99***1#", "\r\nNO CARRIER\r\n")
	if b.net.isAttached() {
		t.Error("still attached")
	}
	b.SetSIMInserted(true)
	u.await("+CEREG: 1\r\n")
}

func TestFunctionality(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CEREG=2", "\r\nOK\r\n")
	u.expect("AT+CFUN=4", "\r\nOK\r\n\r\n+CEREG: 0\r\n")
	if b.net.isAttached() {
		t.Error("OK came before the network saw a detach")
	}
	u.expect("AT+CFUN?;+CSQ;+CEREG?", "\r\n+CFUN: 4\r\n\r\n+CSQ: 99,99\r\n\r\n+CEREG: 2,0\r\n\r\nOK\r\n")
	u.expect("AT+CFUN=7", "\r\n+CME ERROR: 50\r\n")
	u.send("AT+CFUN=1\r")
	u.awaitAll("OK", `\+CEREG: 2`, `\+CEREG: 1,"1F00","79D903",7`)
	u.expect("AT+CGATT=0", "\r\nOK\r\n\r\n+CEREG: 0\r\n")
	u.expect("AT+CGATT?", "\r\n+CGATT: 0\r\n\r\nOK\r\n")
	u.send("AT+CGATT=1\r")
	u.await("\r\n+CEREG: 1,")
}

func TestUnknownIMSIIsDenied(t *testing.T) {
	b := newBench(t, func(c *Config) { c.SIM.IMSI = "999999999999999" })
	b.on()
	u := b.user("at")
	u.awaitBoot(b)
	for i := 0; ; i++ {
		u.send("AT+CEREG?\r")
		if got := u.await("OK\r\n"); strings.Contains(got, "+CEREG: 0,3") {
			break
		} else if i > 10000 {
			t.Fatal(got)
		}
	}
	u.send("ATE0\r")
	u.await("OK\r\n")
	u.expect("AT+CEER", "\r\n+CEER: the IMSI is not known, cause 8\r\n\r\nOK\r\n")
	u.expect("ATD*99#", "\r\nNO CARRIER\r\n")
	u.expect("AT+CEER", "\r\n+CEER: the IMSI is not known, cause 8\r\n\r\nOK\r\n")
}

func TestNetworkDeniesAndLetsBack(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect(`AT+CEREG=1;+CGDCONT=2,"IP","wrong"`, "\r\nOK\r\n")
	u.expect("AT+CGACT=1,2", "\r\n+CME ERROR: 133\r\n")
	b.DenyRegistration(true)
	u.await("\r\n+CEREG: 3\r\n")
	u.expect("AT+CEER", "\r\n+CEER: PLMN not allowed, cause 11\r\n\r\nOK\r\n")
	u.expect("AT+COPS?", "\r\n+COPS: 0\r\n\r\nOK\r\n")
	b.DenyRegistration(false)
	u.await("\r\n+CEREG: 1\r\n")
	b.NetworkDetach(false)
	u.await("\r\n+CEREG: 0\r\n")
	b.Reattach()
	u.await("\r\n+CEREG: 1\r\n")
}

func TestContextByCommand(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect(`AT+CGATT=0;+CGDCONT=1,"IP","wrong";+CGATT=1`, "\r\nOK\r\n") // no default bearer
	u.expect("AT+CGEREP=2", "\r\nOK\r\n")
	u.expect("AT+CGACT=1,1", "\r\n+CME ERROR: 133\r\n")
	u.expect("AT+CEER", "\r\n+CEER: unknown APN, cause 27\r\n\r\nOK\r\n")
	u.expect(`AT+QICSGP=1,1,"soracom.io","sora","sora",1`, "\r\nOK\r\n")
	u.expect("AT+CGACT=1,1", "\r\nOK\r\n\r\n+CGEV: ME PDN ACT 1\r\n")
	if got := b.net.requests[1].Credentials; !got.Matches("sora", "sora") {
		t.Errorf("credentials %+v", got)
	}
	u.expect("AT+CGPADDR=1", "\r\n+CGPADDR: 1,\"10.128.0.1\"\r\n\r\nOK\r\n")
	u.expect("AT+CGCONTRDP", "\r\n+CGCONTRDP: 1,5,soracom.io,10.128.0.1,,100.127.0.53,0.0.0.0\r\n\r\nOK\r\n")
	u.expect(`AT+CGDCONT=1,"IP","x"`, "\r\n+CME ERROR: 3\r\n")
	u.expect("AT+CGACT=0", "\r\nOK\r\n\r\n+CGEV: ME PDN DEACT 1\r\n")
	u.expect("AT+CGACT=1,1", "\r\nOK\r\n\r\n+CGEV: ME PDN ACT 1\r\n")
	b.net.session().Close("the network said so")
	u.await("\r\n+CGEV: NW PDN DEACT 1\r\n")
	u.expect("AT+CGACT?", "\r\n+CGACT: 1,0\r\n+CGACT: 2,0\r\n+CGACT: 3,0\r\n\r\nOK\r\n")
	u.expect("AT+CGACT=1,7", "\r\n+CME ERROR: 50\r\n")
}

// TestTextEntry is the way of a command that asks for text.
func TestTextEntry(t *testing.T) {
	b := newBench(t, nil)
	b.table["+CTEST"] = &command{name: "+CTEST", exec: func(*exchange) result {
		return textResult(8, func(x *exchange, text []byte, given bool) result {
			if !given {
				return cmsError(304, "Invalid PDU mode parameter")
			}
			x.info("+CTEST: " + string(text))
			return resultOK
		})
	}}
	u := b.ready("at")
	for _, tt := range []struct{ name, text, want string }{
		{"given", "hello\x1a", "\r\n+CTEST: hello\r\n\r\nOK\r\n"},
		{"edited", "helx\x08lo\x1a", "\r\n+CTEST: hello\r\n\r\nOK\r\n"},
		{"lines", "a\rb\x1a", "\r\n+CTEST: a\rb\r\n\r\nOK\r\n"},
		{"given up", "hello\x1b", "\r\nERROR\r\n"},
		{"too long", "hello world\x1a", "\r\nERROR\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u.send("AT+CMEE=0;+CTEST\r")
			if got := u.await("> "); got != "\r\n> " {
				t.Errorf("the prompt is %q", got)
			}
			u.send(tt.text)
			if got := u.await(tt.want); got != tt.want {
				t.Errorf("%q gave %q, want %q", tt.text, got, tt.want)
			}
		})
	}
	u.send("AT+CMEE=2;+CTEST\r\x1b")
	u.await("\r\n+CMS ERROR: Invalid PDU mode parameter\r\n")
}
