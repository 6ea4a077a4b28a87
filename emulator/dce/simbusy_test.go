package dce

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestSIMBusy: what needs the card is refused while the modem has yet to read it, however errors are told; the rest is not.
func TestSIMBusy(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	release := b.BusySIM(SIMBusy{})
	u.await("\r\n+CPIN: NOT READY\r\n")
	for _, command := range []string{
		"AT+CPIN?", "AT+CPIN=1234", "AT+CIMI", "AT+QCCID", "AT+CCID", "AT+CNUM", `AT+CLCK="SC",2`, `AT+CPWD="SC","0000","1234"`, "AT+CRSM=176,28423,0,0,9",
		`AT+CSIM=14,"00A40004022FE2"`, "AT+CPINR", `AT+QPINC="SC"`, "AT+CPBS?", "AT+CPBR=1", "AT+CGATT=1", "AT+COPS=0",
	} {
		u.expect(command, "\r\n+CME ERROR: 14\r\n")
	}
	u.expect("AT+CMGL=4", "\r\n+CMS ERROR: 314\r\n")
	u.expect("AT+CMEE=2;+CPIN?", "\r\n+CME ERROR: SIM busy\r\n")
	u.expect("AT+CMEE=0;+CPIN?", "\r\nERROR\r\n")
	u.expect("AT+CMEE=1;+CPIN=?", done)
	u.expect("AT+QINISTAT", ok("+QINISTAT: 0"))
	u.expect("AT+CEREG?", ok("+CEREG: 0,0"))
	u.expect("AT+CFUN=0", done)
	u.expect("AT+CPIN?", "\r\n+CME ERROR: 13\r\n") // the card is off
	u.expect("AT+CFUN=1", done+"\r\n+CPIN: NOT READY\r\n")
	release()
	release() // once is enough
	u.await("\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n")
	u.registered()
	u.expect("AT+CPIN?", ok("+CPIN: READY"))
}

// TestSIMBusyAtBoot is the start of an EC21-J that a user of SeeedJP/WioLTEforArduino logged (issue 5): no SIM, no SIM, busy, ready.
func TestSIMBusyAtBoot(t *testing.T) {
	b := newBench(t, nil)
	b.BusySIM(SIMBusy{Asks: 3, Absent: 2})
	u := b.user("at")
	b.awaitPorts(1)
	b.on()
	u.await("\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: NOT READY\r\n")
	u.send("ATE0\r")
	u.await("OK\r\n")
	u.expect("AT+CPIN?", "\r\n+CME ERROR: 10\r\n")
	u.expect("AT+CPIN?", "\r\n+CME ERROR: 10\r\n")
	u.expect("AT+CPIN?", "\r\n+CME ERROR: 14\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n")
	u.expect("AT+CPIN?", ok("+CPIN: READY"))
	u.registered()
}

// TestSIMBusyOverlaps: a card that is locked, taken out or busy twice comes up as far as it can.
func TestSIMBusyOverlaps(t *testing.T) {
	b := newBench(t, func(c *Config) { c.SIM.PIN = "1234" })
	b.on()
	u := b.user("at")
	u.awaitBoot(b)
	u.expect("ATE0", "ATE0\r\r\nOK\r\n")
	first := b.BusySIM(SIMBusy{Asks: 1})
	u.await("\r\n+CPIN: NOT READY\r\n")
	second := b.BusySIM(SIMBusy{})
	u.await("\r\n+CPIN: NOT READY\r\n")
	u.expect("AT+CPIN?", "\r\n+CME ERROR: 14\r\n") // the first is over
	u.expect("AT+CPIN?", "\r\n+CME ERROR: 14\r\n")
	first()
	second()
	u.await("\r\n+CPIN: SIM PIN\r\n")
	release := b.BusySIM(SIMBusy{})
	u.await("\r\n+CPIN: NOT READY\r\n")
	b.SetSIMInserted(false)
	u.await("\r\n+CPIN: NOT READY\r\n")
	u.expect("AT+CPIN?", "\r\n+CME ERROR: 10\r\n")
	release()
	b.SetSIMInserted(true)
	u.await("\r\n+CPIN: SIM PIN\r\n")
	u.expect("AT+CPIN=1234", done)
	u.await("PB DONE\r\n")
	u.registered()
}

// TestSIMReadInTheBoot: what the boot has yet to tell of a card it tells once, also where the card was read meanwhile.
func TestSIMReadInTheBoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.Delay = 1 })
		b.BusySIM(SIMBusy{Asks: 1})
		u := b.user("at")
		b.on()
		said := u.await("\r\nRDY\r\n")
		u.send("AT+CPIN?\r")
		said += u.await("ERROR: 14\r\n") + u.await("PB DONE\r\n")
		time.Sleep(time.Minute) // the boot is over
		u.send("AT+CSQ\r")
		said += u.await("OK\r\n")
		for _, once := range []string{"+CPIN: READY", "+QUSIM: 1", "SMS DONE", "PB DONE"} {
			if n := strings.Count(said, once); n != 1 {
				t.Errorf("%d times %s in %q", n, once, said)
			}
		}
	})
}

// TestSIMReadWhileOff: a card that is off is not told of.
func TestSIMReadWhileOff(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	release := b.BusySIM(SIMBusy{})
	u.await("\r\n+CPIN: NOT READY\r\n")
	u.expect("AT+CFUN=0", done)
	release()
	u.expect("AT+CPIN?", "\r\n+CME ERROR: 13\r\n")
	u.expect("AT+CFUN=1", done+"\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n")
}
