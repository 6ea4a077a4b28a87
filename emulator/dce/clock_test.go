package dce

import (
	"regexp"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CMEE=1", "\r\nOK\r\n")
	read := func() time.Time {
		u.send("AT+CCLK?\r")
		got := regexp.MustCompile(`^\r\n\+CCLK: "(.{17})\+36"\r\n\r\nOK\r\n$`).FindStringSubmatch(u.await("OK\r\n"))
		if got == nil {
			t.Fatal("+CCLK? has not the form of TS 27.007 section 8.15")
		}
		told, err := time.ParseInLocation(clockFormat, got[1], time.FixedZone("", 9*3600))
		if err != nil {
			t.Fatal(err)
		}
		return told
	}
	if off := time.Since(read()); off.Abs() > patience {
		t.Errorf("the clock is off by %s", off)
	}
	u.expect(`AT+CCLK="30/02/28,23:59:59+36"`, "\r\nOK\r\n")
	set := time.Date(2030, 2, 28, 23, 59, 59, 0, time.FixedZone("", 9*3600))
	if on := read().Sub(set); on < -time.Second || on > patience {
		t.Errorf("set, the clock is off by %s", on)
	}
	for _, wrong := range []string{`"30/02/29,00:00:00+36"`, `"30/02/28,24:00:00+36"`, `"30/02/28,23:59:59+57"`, `"30/02/28,23:59:59"`, `""`, `1`} {
		u.expect("AT+CCLK="+wrong, "\r\n+CME ERROR: 50\r\n")
	}
	u.expect(`AT+CCLK="22/11/26,10:00:00-14"`, "\r\nOK\r\n")
	u.send("AT+CCLK?\r")
	if got := u.await("OK\r\n"); !regexp.MustCompile(`"22/11/26,10:00:[0-9]{2}-14"`).MatchString(got) {
		t.Errorf("with another zone: %q", got)
	}
}

func TestReports(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CMEE=1", "\r\nOK\r\n")
	u.expect("AT+CLIP=1;+CRC=1;+CCWA=1,2,7", "\r\nOK\r\n")
	u.expect("AT+CLIP?;+CRC?;+CCWA?", "\r\n+CLIP: 1,0\r\n\r\n+CRC: 1\r\n\r\n+CCWA: 1\r\n\r\nOK\r\n")
	u.expect("AT+CLIP=?", "\r\n+CLIP: (0,1)\r\n\r\nOK\r\n")
	u.expect("AT+CLIP=2", "\r\n+CME ERROR: 50\r\n")
	u.expect("AT+CRC=1,1", "\r\n+CME ERROR: 50\r\n")
	u.expect("AT+CLIP=0;+CLIP?", "\r\n+CLIP: 0,0\r\n\r\nOK\r\n")
}
