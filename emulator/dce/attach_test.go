package dce

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestAttachCommand: +CGATT=1 says OK when the modem is attached, and why not when it cannot be (TS 27.007 section 10.1.9).
func TestAttachCommand(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	for range 100 { // no time to register lies between
		u.expect("AT+CGATT=0;+CGATT?", "\r\n+CGATT: 0\r\n\r\nOK\r\n")
		u.expect("AT+CGATT=1;+CGATT?", "\r\n+CGATT: 1\r\n\r\nOK\r\n")
	}
	for _, tt := range []struct {
		name      string
		hinder    func()
		want      string
		unhinder  func()
		operators string // what +COPS=0 says to the same
	}{
		{"deregistered", func() { u.expect("AT+COPS=2", done) }, "30", func() { u.expect("AT+COPS=0", done) }, ""},
		{"another operator", func() { u.expect(`AT+COPS=1,2,"44020"`, "\r\n+CME ERROR: 30\r\n") }, "30", func() { u.expect("AT+COPS=0", done) }, ""},
		{"no cell", func() { b.SetCoverage(false) }, "30", func() { b.SetCoverage(true) }, "OK"},
		{"refused", func() { b.DenyRegistration(true) }, "111", func() { b.DenyRegistration(false) }, "OK"},
		{"radio off", func() { u.expect("AT+CFUN=4", done) }, "3", func() { u.expect("AT+CFUN=1", done) }, "OK"},
		{"no card", func() { b.SetSIMInserted(false); u.await("NOT READY\r\n") }, "10", func() { b.SetSIMInserted(true); u.await("READY\r\n") }, "10"},
		{"PIN", func() { b.LockSIM("1234"); u.await("SIM PIN\r\n") }, "11", func() { u.expect("AT+CPIN=1234", done); u.await("PB DONE\r\n") }, "11"},
		{"PUK", func() {
			b.LockSIM("1234")
			u.await("SIM PIN\r\n")
			u.expect("AT+CPIN=1111", "\r\n+CME ERROR: 16\r\n")
			u.expect("AT+CPIN=1111", "\r\n+CME ERROR: 16\r\n")
			u.expect("AT+CPIN=1111", "\r\n+CME ERROR: 12\r\n")
		}, "12", func() { u.expect("AT+CPIN=12345678,1234", done); u.await("PB DONE\r\n") }, "12"},
	} {
		u.expect("AT+CGATT=0", done)
		tt.hinder()
		u.expect("AT+CGATT=1", "\r\n+CME ERROR: "+tt.want+"\r\n")
		u.expect("AT+CGATT?", ok("+CGATT: 0"))
		switch tt.operators {
		case "":
		case "OK":
			u.expect("AT+COPS=0", done)
		default:
			for _, command := range []string{"AT+COPS=0", `AT+COPS=1,2,"44010"`, `AT+COPS=4,2,"44010"`} {
				u.expect(command, "\r\n+CME ERROR: "+tt.operators+"\r\n")
			}
			u.expect("AT+COPS=3,0", done)
		}
		tt.unhinder()
		if got := u.answer("AT+CGATT=1;+CGATT?"); got != ok("+CGATT: 1") {
			t.Fatalf("%s: afterwards AT+CGATT=1;+CGATT? gave %q", tt.name, got)
		}
	}
}

// answer gives all that a command brings up to its result.
func (u *user) answer(command string) string {
	u.t.Helper()
	u.send(command + "\r")
	return u.await("\r\nOK\r\n")
}

// TestAttachTakesItsTime: without a cell the modem searches for as long as its maker says, and a cell that comes meanwhile is taken.
func TestAttachTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Delay = 1 })
		b.on()
		u := b.user("at")
		<-b.Ready()
		u.await("PB DONE\r\n")
		u.expect("ATE0", "ATE0\r\r\nOK\r\n")
		u.expect("AT+CGATT=0", done)
		b.SetCoverage(false)
		begun := time.Now()
		u.send("AT+CGATT=1\r")
		time.Sleep(2 * time.Minute) // u waits no longer than its patience
		u.await("\r\n+CME ERROR: 30\r\n")
		if took := time.Since(begun).Round(time.Second); took != 140*time.Second {
			t.Errorf("the error came after %v", took)
		}
		u.expect("ATE1", done)
		u.send("AT+CGATT=1\r")
		u.await("AT+CGATT=1\r") // the echo does not wait
		time.Sleep(time.Minute)
		b.SetCoverage(true)
		u.await(done)
		u.expect("ATE0+CGATT?", "ATE0+CGATT?\r"+ok("+CGATT: 1"))
	})
}

// TestSelectionTakesItsTime: +COPS=0 answers once the modem is registered, or after the time that its maker gives it.
func TestSelectionTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Delay = 1 })
		b.on()
		u := b.user("at")
		<-b.Ready()
		u.await("PB DONE\r\n")
		u.expect("ATE0", "ATE0\r\r\nOK\r\n")
		u.expect("AT+COPS=2", done)
		if got := u.answer("AT+COPS=0;+CEREG?"); got != ok("+CEREG: 0,1") {
			t.Errorf("AT+COPS=0;+CEREG? gave %q", got)
		}
		u.expect("AT+COPS=2", done)
		b.SetCoverage(false)
		begun := time.Now()
		u.send("AT+COPS=0\r")
		time.Sleep(170 * time.Second) // u waits no longer than its patience
		u.await(done)
		if took := time.Since(begun).Round(time.Second); took != 180*time.Second {
			t.Errorf("the answer came after %v", took)
		}
		u.expect("AT+COPS?;+CEREG?", "\r\n+COPS: 0\r\n"+ok("+CEREG: 0,2"))
		u.send("AT+COPS=0\r")
		time.Sleep(2 * abortGrace)
		begun = time.Now()
		u.send("x")
		u.await(done)
		if took := time.Since(begun); took > time.Second {
			t.Errorf("the answer came %v after a character that aborts", took)
		}
		u.expect("AT+COPS?", ok("+COPS: 0"))
	})
}

// TestAttemptIsOverMeanwhile: the attempt that a command asks for may have come to its end before the command looks. It is not begun
// again: Run, which waits for nothing then, would leave the command without an answer.
func TestAttemptIsOverMeanwhile(t *testing.T) {
	b := newBench(t, nil)
	for _, tt := range []struct {
		reg  registration
		want RegistrationStatus
	}{
		{registration{stat: NotRegistered}, Searching},
		{registration{stat: RegistrationDenied}, Searching}, // that was the attempt before
		{registration{stat: RegistrationDenied, refused: true}, RegistrationDenied},
		{registration{stat: RegisteredHome}, RegisteredHome},
	} {
		b.reg = tt.reg
		if b.search(); b.reg.stat != tt.want {
			t.Errorf("%+v became %d, want %d", tt.reg, b.reg.stat, tt.want)
		}
	}
}
