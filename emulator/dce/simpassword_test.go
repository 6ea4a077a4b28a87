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
	u.expect(`AT+CLCK="FD",1,"1234"`, "\r\n+CME ERROR: 4\r\n")
}
