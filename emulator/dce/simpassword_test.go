package dce

import "testing"

// TestNoPasswordIsNoTry: what is not sent to the card costs none of its tries (TS 27.007 section 7.4, ETSI TS 102 221 section 11.1.9).
func TestNoPasswordIsNoTry(t *testing.T) {
	b := newBench(t, func(c *Config) { c.SIM.PIN = "1234" })
	b.on()
	u := b.user("at")
	u.awaitBoot(b)
	u.expect("ATE0", "ATE0\r\r\nOK\r\n")
	full := ok("+CPINR: SIM PIN,3,3")
	refused := func(commands ...string) {
		t.Helper()
		for _, command := range commands {
			u.expect(command, "\r\n+CME ERROR: 50\r\n")
			u.expect(`AT+CPINR="SIM PIN"`, full)
		}
	}
	refused("AT+CPIN=1111,2222", "AT+CPIN=", "AT+CPIN=12")
	u.expect("AT+CPIN=1234", done)
	u.await("PB DONE\r\n")
	refused(`AT+CLCK="SC",0`, `AT+CLCK="SC",1`, `AT+CLCK="SC",0,""`, `AT+CLCK="SC",0,"12"`, `AT+CLCK="SC",0,"1234",1,1`,
		`AT+CPWD="SC","","4321"`, `AT+CPWD="SC","123","4321"`, `AT+CPWD="SC","12345678901","4321"`)
	u.expect(`AT+CSIM=14,"00200001021234"`, ok(`+CSIM: 4,"6700"`))
	u.expect(`AT+CSIM=26,"00240001083132333435FFFFFF"`, ok(`+CSIM: 4,"6700"`))
	u.expect(`AT+CPINR="SIM PIN"`, full)
	u.expect(`AT+CLCK="SC",0,"4321"`, "\r\n+CME ERROR: 16\r\n")
	u.expect(`AT+CPINR="SIM PIN"`, ok("+CPINR: SIM PIN,2,3"))
	u.expect(`AT+CLCK="SC",0,"1234"`, done)
	u.expect(`AT+CLCK="SC",0`, done) // it is off
}

// TestPINOfTheCard: the lock is put on and taken off with the PIN that the card has all the time (ETSI TS 102 221 sections 11.1.10 to
// 11.1.13), by AT commands as by the card's own.
func TestPINOfTheCard(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	for _, tt := range [][2]string{
		{`AT+CPWD="SC","0000","1234"`, "\r\n+CME ERROR: 3\r\n"}, // the lock is off
		{`AT+CPINR="SIM PIN"`, ok("+CPINR: SIM PIN,3,3")},
		{`AT+CLCK="SC",1,"5555"`, "\r\n+CME ERROR: 16\r\n"},
		{`AT+CPINR="SIM PIN"`, ok("+CPINR: SIM PIN,2,3")},
		{`AT+QPINC="SC"`, ok(`+QPINC: "SC",2,10`)},
		{`AT+CSIM=10,"0020000100"`, ok(`+CSIM: 4,"63C2"`)},
		{`AT+CLCK="SC",2`, ok("+CLCK: 0")},
		{`AT+CLCK="SC",1,"0000"`, done},
		{`AT+CPINR="SIM PIN"`, ok("+CPINR: SIM PIN,3,3")},
		{`AT+CLCK="SC",1,"1111"`, "\r\n+CME ERROR: 3\r\n"}, // it is on, and nothing is tried
		{`AT+CPINR="SIM PIN"`, ok("+CPINR: SIM PIN,3,3")},
		{`AT+CPWD="SC","0000","1234"`, done},
		{`AT+CLCK="SC",0,"0000"`, "\r\n+CME ERROR: 16\r\n"},
		{`AT+CLCK="SC",0,"1234"`, done},
		{`AT+CLCK="SC",1,"0000"`, "\r\n+CME ERROR: 16\r\n"}, // the card keeps what it was changed to
		{`AT+CLCK="SC",1,"1234"`, done},
		{`AT+CLCK="SC",0,"1234"`, done},
		{`AT+CLCK="SC",1,"1"`, "\r\n+CME ERROR: 50\r\n"},
		{`AT+CLCK="SC",1,"4711"`, "\r\n+CME ERROR: 16\r\n"},
		{`AT+CLCK="SC",1,"4711"`, "\r\n+CME ERROR: 16\r\n"},
		{`AT+CLCK="SC",1,"4711"`, "\r\n+CME ERROR: 12\r\n"},
		{`AT+CLCK="SC",1,"1234"`, "\r\n+CME ERROR: 12\r\n"},
		{`AT+CSIM=26,"002800010831323334FFFFFFFF"`, ok(`+CSIM: 4,"6983"`)},
		{"AT+CPIN?", ok("+CPIN: SIM PUK")},
		{`AT+CPIN="12345678","2468"`, "\r\nOK\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n"},
		{`AT+CLCK="SC",2`, ok("+CLCK: 1")}, // and with the new one
		{`AT+CLCK="SC",0,"2468"`, done},
	} {
		u.expect(tt[0], tt[1])
	}
	// Neither a lock that is laid on top nor one that is taken off loses the card's own.
	lift, err := b.LayLock(SIMLock{PIN: "1357"})
	if err != nil {
		t.Fatal(err)
	}
	u.await("\r\n+CPIN: SIM PIN\r\n")
	lift()
	u.await("\r\n+CPIN: READY\r\n")
	if err := b.LockSIM("8642"); err != nil {
		t.Fatal(err)
	}
	u.await("\r\n+CPIN: SIM PIN\r\n")
	b.UnlockSIM()
	u.await("\r\n+CPIN: READY\r\n")
	u.expect(`AT+CLCK="SC",1,"2468"`, "\r\n+CME ERROR: 16\r\n")
	u.expect(`AT+CLCK="SC",1,"8642"`, done)
	if _, err := b.LayLock(SIMLock{}); err == nil {
		t.Error("a lock without a PIN is laid")
	}
	if err := b.LockSIM(""); err == nil {
		t.Error("the SIM is locked without a PIN")
	}
}

// TestFacilities: +CLCK knows those of its test form.
func TestFacilities(t *testing.T) {
	u := newBench(t, nil).ready("at")
	u.expect("AT+CLCK=?", ok(`+CLCK: ("SC","FD","PN","PU","PP","PC","PF")`))
	for _, f := range facilities {
		u.expect(`AT+CLCK="`+f+`",2`, ok("+CLCK: 0"))
	}
	for _, f := range []string{"XX", "", "sc"} {
		u.expect(`AT+CLCK="`+f+`",2`, "\r\n+CME ERROR: 50\r\n")
		u.expect(`AT+CLCK="`+f+`",1,"1234"`, "\r\n+CME ERROR: 50\r\n")
	}
	u.expect(`AT+CLCK="PN",1,"1234"`, "\r\n+CME ERROR: 4\r\n")
}

// TestSecondPIN blocks PIN2 and gets it back, and dials nothing but fixed numbers.
func TestSecondPIN(t *testing.T) {
	u := newBench(t, func(c *Config) { c.SIM.PIN2, c.SIM.PUK2 = "3579", "08978675" }).ready("at")
	for _, tt := range [][2]string{
		{`AT+CPWD="P2","1234","4321"`, "\r\n+CME ERROR: 16\r\n"},
		{`AT+QPINC="P2"`, ok(`+QPINC: "P2",2,10`)},
		{`AT+CPWD="P2","3579","4321"`, done},
		{`AT+CPINR="SIM PIN2"`, ok("+CPINR: SIM PIN2,3,3")},
		{`AT+CLCK="FD",1`, "\r\n+CME ERROR: 17\r\n"},
		{`AT+CLCK="FD",1,"43"`, "\r\n+CME ERROR: 50\r\n"},
		{`AT+CLCK="FD",1,"3579"`, "\r\n+CME ERROR: 16\r\n"},
		{`AT+CLCK="FD",1,"4321"`, done},
		{`AT+CLCK="FD",2`, ok("+CLCK: 1")},
		{`AT+CUSD=1,"*100#"`, "\r\n+CME ERROR: 3\r\n"},
		{`AT+CMGF=1;+CMGW="0312345678"` + "\rhello\x1a", "\r\n> \r\n+CMGW: 0\r\n\r\nOK\r\n"},
		{"AT+CMSS=0", "\r\n+CMS ERROR: 302\r\n"},
		{`AT+CLCK="FD",0,"4321"`, done},
		{`AT+CLCK="FD",2`, ok("+CLCK: 0")},
		{`AT+CPWD="P2","1111","4321"`, "\r\n+CME ERROR: 16\r\n"},
		{`AT+CPWD="P2","1111","4321"`, "\r\n+CME ERROR: 16\r\n"},
		{`AT+CPWD="P2","1111","4321"`, "\r\n+CME ERROR: 18\r\n"},
		{`AT+CLCK="FD",1,"4321"`, "\r\n+CME ERROR: 18\r\n"},
		{`AT+CPIN="00000000","9999"`, "\r\n+CME ERROR: 16\r\n"},
		{"AT+CPINR", ok("+CPINR: SIM PIN,3,3\r\n+CPINR: SIM PUK,10,10\r\n+CPINR: SIM PIN2,0,3\r\n+CPINR: SIM PUK2,9,10")},
		{`AT+CPIN="08978675","9999"`, done},
		{`AT+QPINC="P2"`, ok(`+QPINC: "P2",3,10`)},
		{`AT+CSIM=42,"002400811039393939FFFFFFFFFFFFFFFFFFFFFFFF"`, ok(`+CSIM: 4,"6A80"`)}, // to none
		{`AT+CPIN="08978675","9999"`, "\r\n+CME ERROR: 3\r\n"},                             // nothing is blocked
		{`AT+CLCK="FD",1,"9999"`, done},
	} {
		u.expect(tt[0], tt[1])
	}
}
