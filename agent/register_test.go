package agent

import (
	"strings"
	"testing"
	"time"
)

// A radio that somebody left off is switched on; a modem that does not tell is waited for.
func TestRadioIsSwitchedOn(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		on         bool
	}{
		{"off", "+CFUN: 4|OK", true},
		{"minimal, with a second value", "+CFUN: 0,0|OK", true},
		{"on", "+CFUN: 1|OK", false},
		{"not told", "ERROR", false},
		{"nonsense", "+CFUN: full|OK", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeModem(t, map[string]string{"+CEREG?": "+CEREG: 3,2|OK", "+CFUN?": tt.says, "+CFUN=1": "OK"})
			start(t, config(f.path, "127.0.0.1:9"))
			await(t, func() bool { return f.count("+CGDCONT=1,\"IP\",\"soracom.io\"") > 0 }) // which comes after it
			if got := f.count("+CFUN=1") > 0; got != tt.on {
				t.Errorf("switched on: %v; sent %s", got, strings.Join(f.commands(), " "))
			}
		})
	}
}

// A modem that sleeps (+CFUN=0) has no SIM to speak of, in whatever words: it is woken before the SIM is judged.
func TestSIMOfASleepingModem(t *testing.T) {
	for _, says := range []string{"+CME ERROR: 13", "+CME ERROR: 10", "+CME ERROR: 14", "ERROR"} {
		t.Run(says, func(t *testing.T) {
			f := newFakeModem(t, map[string]string{"+CPIN?": says, "+CFUN?": "+CFUN: 0|OK", "+CFUN=1": "OK"})
			r := start(t, config(f.path, echoServer(t)))
			await(t, func() bool { return f.count("+CFUN=1") > 0 || len(r.pauses) > 0 })
			f.set("+CPIN?", "+CPIN: READY|OK")
			f.say("+CPIN: READY")
			select {
			case <-r.Ready():
			case <-r.pauses:
				t.Fatalf("%+v", r.Status().Failure)
			}
		})
	}
}

// A modem that has just started says for a moment that it has no SIM, and then that it is busy with it: that is no failure. The answers are an
// EC21's (SeeedJP/WioLTEforArduino, issue 5).
func TestSIMOfAModemThatStarts(t *testing.T) {
	f := newFakeModem(t, map[string]string{"+CPIN?": "+CME ERROR: 10"})
	r := start(t, config(f.path, echoServer(t)), func(a *Agent) {
		a.timing.absent, a.timing.poll = time.Minute, 10*time.Millisecond // the machine may be busy
	})
	for _, says := range []string{"+CME ERROR: 10", "+CME ERROR: 14", "+CPIN: READY|OK"} {
		n := f.count("+CPIN?")
		await(t, func() bool { return f.count("+CPIN?") > n || len(r.pauses) > 0 })
		f.set("+CPIN?", says)
	}
	select {
	case <-r.Ready():
	case <-r.pauses:
		t.Fatalf("%+v", r.Status().Failure)
	}
}

// One that goes on saying so has none.
func TestSIMIsAbsent(t *testing.T) {
	const absent = 300 * time.Millisecond
	f := newFakeModem(t, map[string]string{"+CPIN?": "+CME ERROR: 10"})
	began := time.Now()
	r := start(t, config(f.path, "127.0.0.1:9"), func(a *Agent) { a.timing.absent, a.timing.poll = absent, 10*time.Millisecond })
	<-r.pauses
	if d := time.Since(began); d < absent {
		t.Errorf("given up after %v, want %v at least", d, absent)
	}
	if got := r.Status().Failure; got.Code != SIM || got.State != StateSIM || !strings.Contains(got.Message, "no SIM in the modem") {
		t.Errorf("%+v", got)
	}
}

// A SIM that fails is not one that is absent, and its PIN is not what is wrong.
func TestSIMFails(t *testing.T) {
	t.Parallel()
	for code, says := range map[string]string{"13": "SIM failure", "15": "SIM wrong"} {
		t.Run(says, func(t *testing.T) {
			f := newFakeModem(t, map[string]string{"+CPIN?": "+CME ERROR: " + code})
			brief := func(a *Agent) { a.timing.deadlines[StateSIM] = 500 * time.Millisecond }
			r := start(t, config(f.path, "127.0.0.1:9"), brief)
			<-r.pauses
			if got := r.Status().Failure; got.Code != SIM || got.State != StateSIM || !strings.Contains(got.Message, says) || !strings.Contains(got.Hint, "power supply") {
				t.Errorf("%+v", got)
			}
			r.stop()
			top := diagnose(t.Context(), config(f.path, "127.0.0.1:9"), brief)
			if cause := top.Cause(); cause == nil || cause.Code != SIM || !strings.Contains(cause.Detail, says) || strings.Contains(cause.Detail, "tries left") {
				t.Errorf("%+v", cause)
			}
		})
	}
}

// A SIM that is not ready when the time ends is why, also where the time ends in the middle of a question.
func TestSIMIsBusyToTheEnd(t *testing.T) {
	t.Parallel()
	f := newFakeModem(t, map[string]string{"+CPIN?": "+CME ERROR: 14"})
	r := start(t, config(f.path, "127.0.0.1:9"), func(a *Agent) {
		a.timing.deadlines[StateSIM], a.timing.poll = 2*time.Second, time.Millisecond
	})
	await(t, func() bool { return f.count("+CPIN?") > 1 })
	f.set("+CPIN?", "silence")
	<-r.pauses
	if got := r.Status().Failure; got.Code != SIM || got.State != StateSIM || !strings.Contains(got.Message, "has not read its SIM") || !strings.Contains(got.Hint, "seat the SIM anew") {
		t.Errorf("%+v", got)
	}
}

// A modem whose answers are one command behind says nothing of its SIM: the modem is what is wrong.
func TestAnswersOfOtherCommands(t *testing.T) {
	f := newFakeModem(t, map[string]string{"+CPIN?": "+CSQ: 20,99|OK"})
	r := start(t, config(f.path, "127.0.0.1:9"), func(a *Agent) { a.timing.deadlines[StateSIM] = 500 * time.Millisecond })
	<-r.pauses
	if got := r.Status().Failure; got.Code != NoModem || got.State != StateSIM || !strings.Contains(got.Message, "another command") {
		t.Errorf("%+v", got)
	}
}

// A SIM that fails while the network is waited for is why there is none.
func TestSIMFailsBeforeTheRegistration(t *testing.T) {
	f := newFakeModem(t, map[string]string{"+CEREG?": "+CEREG: 3,2|OK"})
	r := start(t, config(f.path, "127.0.0.1:9"))
	await(t, func() bool { return f.count("+CEREG?") > 0 })
	f.set("+CPIN?", "+CME ERROR: 13")
	f.say("+CEREG: 0")
	<-r.pauses
	if got := r.Status().Failure; got.Code != SIM || got.State != StateRegistered || !strings.Contains(got.Message, "SIM failure") {
		t.Errorf("%+v", got)
	}
}
