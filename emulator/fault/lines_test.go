package fault_test

import (
	"strings"
	"testing"
	"time"
)

const csq = "\r\n+CSQ: 30,99\r\n\r\nOK\r\n"

func TestLateReply(t *testing.T) {
	w := newWorld(t)
	w.inject("late-reply", "delay", "200ms", "match", "+csq", "count", "1")
	began := time.Now()
	w.at.Send("AT+CSQ\r")
	w.at.Send("AT+CGMM\r") // the user does not wait
	if got := w.at.Answer(); got != csq {
		t.Errorf("the late answer is %q", got)
	}
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("the answer took %v", took)
	}
	if got := w.at.Answer(); got != "\r\nEC25\r\n\r\nOK\r\n" {
		t.Errorf("the next answer is %q", got)
	}
	w.inject("late-reply", "delay", "10m")
	w.at.Send("AT+CSQ\r")
	w.ppp.Send("AT+CSQ\r")
	w.modem.Clear() // lets go of what is held
	if got := w.at.Answer() + w.ppp.Answer(); got != csq+csq {
		t.Errorf("after the fault there is %q", got)
	}
	w.recovered()
}

func TestLaggingReply(t *testing.T) {
	w := newWorld(t)
	w.inject("lagging-reply")
	w.at.Send("AT+CSQ\r")
	if got := w.at.AT("AT+CGMM"); got != csq {
		t.Errorf("the second command brings %q", got)
	}
	if got := w.at.AT("AT"); got != "\r\nEC25\r\n\r\nOK\r\n" {
		t.Errorf("the third command brings %q", got)
	}
	w.recovered()
	if got := w.at.AT("AT+CSQ"); !strings.HasSuffix(got, csq) {
		t.Errorf("after the fault there is %q", got)
	}
}

func TestLostCommand(t *testing.T) {
	w := newWorld(t)
	w.at.AT("ATE1")
	w.inject("lost-command", "count", "2")
	w.at.Send("AT+CGMM\rAT+CG")
	w.at.Send("MM\r")
	if got := w.at.AT("AT+CSQ"); got != "AT+CSQ\r"+csq { // no trace of the first two, not even the echo
		t.Errorf("the third command brings %q", got)
	}
	w.inject("lost-command", "idle", "1ms")
	for range 2 {
		w.at.Quiet(2 * time.Millisecond)
		w.at.Send("AT+CGMM\rAT+CSQ\r") // one write, with no silence in it
		if got := w.at.Answer(); got != "AT+CSQ\r"+csq {
			t.Errorf("after a silence there is %q", got)
		}
	}
	w.modem.Clear()
	w.at.AT("ATE0")
	w.recovered()
}

func TestErrorOnce(t *testing.T) {
	w := newWorld(t)
	w.inject("error-once", "match", "+CGDCONT=")
	if got := w.ppp.AT("AT+CSQ"); got != csq {
		t.Errorf("another command gave %q", got)
	}
	if got := w.ppp.AT(`AT+CGDCONT=1,"IP","elsewhere"`); got != "\r\nERROR\r\n" {
		t.Errorf("the first time: %q", got)
	}
	if got := w.ppp.AT("AT+CGDCONT?"); !strings.Contains(got, `1,"IP","soracom.io"`) {
		t.Errorf("the refused command was carried out: %q", got)
	}
	if got := w.ppp.AT(`AT+CGDCONT=1,"IP","soracom.io"`); got != "\r\nOK\r\n" {
		t.Errorf("the second time: %q", got)
	}
	w.recovered()
}

func TestEchoOn(t *testing.T) {
	for _, tt := range []struct{ forced, then string }{
		{"false", "\r\nOK\r\n"},
		{"true", "AT\r\r\nOK\r\n"},
	} {
		t.Run("forced="+tt.forced, func(t *testing.T) {
			w := newWorld(t)
			w.inject("echo-on", "forced", tt.forced)
			if got := w.at.AT("ATE0"); got != "ATE0\r\r\nOK\r\n" {
				t.Errorf("E0 gave %q", got)
			}
			if got := w.at.AT("AT"); got != tt.then {
				t.Errorf("after E0 there is %q", got)
			}
			w.recovered()
		})
	}
}

func TestURCInReply(t *testing.T) {
	w := newWorld(t)
	w.inject("urc-in-reply", "urc", "+CREG: 5")
	for command, want := range map[string]string{
		"AT+CSQ": "\r\n+CSQ: 30,99\r\n\r\n+CREG: 5\r\n\r\nOK\r\n",
		"AT":     "\r\n+CREG: 5\r\n\r\nOK\r\n",
	} {
		if got := w.at.AT(command); got != want {
			t.Errorf("%s gave %q, want %q", command, got, want)
		}
	}
	w.at.Send("ATQ1\r") // says nothing, and so has no inside
	if got := w.at.AT("ATQ0"); got != "\r\n+CREG: 5\r\n\r\nOK\r\n" {
		t.Errorf("after silence there is %q", got)
	}
	w.recovered()
}

func TestGluedURCs(t *testing.T) {
	for between, want := range map[string]string{
		"crlf": csq + "\r\n+CREG: 5\r\n\r\n+CGREG: 0\r\n",
		"half": csq + "+CREG: 5\r\n+CGREG: 0\r\n",
	} {
		t.Run(between, func(t *testing.T) {
			w := newWorld(t)
			w.inject("glued-urcs", "between", between, "count", "1")
			w.at.Send("AT+CSQ\r")
			if got := w.at.Read(); got != want { // one write: a pseudo-terminal gives it in one read
				t.Errorf("one read brings %q, want %q", got, want)
			}
			if got := w.at.AT("AT"); got != "\r\nOK\r\n" {
				t.Errorf("the next answer is %q", got)
			}
			w.recovered()
		})
	}
}

func TestSMSFlood(t *testing.T) {
	w := newWorld(t)
	w.at.AT("AT+CNMI=2,1")
	w.inject("sms-flood", "count", "50", "every", "1ms")
	for range 5 {
		w.at.Await("\r\n+CMTI: \"ME\",")
	}
	w.at.Send("AT+CSQ\r")
	w.at.Await(csq) // commands work in between
	w.inject("sms-flood", "count", "0", "every", "1ms")
	w.at.Await("\r\n+CMTI: \"ME\",60\r\n")
	w.recovered()
}
