package agent

import (
	"errors"
	"strings"
	"testing"
	"time"

	"minato/agent/atline"
)

// fast makes the watcher quick.
func fast(a *Agent) {
	a.timing.watch, a.timing.minWatch, a.timing.regLoss = 40*time.Millisecond, 5*time.Millisecond, 60*time.Millisecond
}

// twoPorts is a modem with a port for commands beside the one that carries the call.
func twoPorts(t *testing.T) (at, data *fakeModem, cfg Config) {
	at, data = newFakeModem(t, nil), newFakeModem(t, nil)
	cfg = config(at.path, echoServer(t))
	cfg.Modem.PPPPort = data.path
	return at, data, cfg
}

// Whatever kills a link ends it with its cause, and the redial begins at once.
func TestLinkIsWatched(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		setup func(*Config)
		spoil func(at, data *fakeModem)
		code  Code
		says  string
	}{
		{"detached", nil, func(at, _ *fakeModem) { at.say("+CGEV: NW DETACH") }, DeadLink, "detached the modem"},
		{"deactivated", nil, func(at, _ *fakeModem) { at.say("+CGEV: NW PDN DEACT 1") }, DeadLink, "deactivated the context"},
		{"restarted", nil, func(at, _ *fakeModem) { at.say("RDY") }, DeadLink, "restarted by itself"},
		{"restarted while it is asked", nil, func(at, _ *fakeModem) { at.set("+CGACT?", "RDY|+CGACT: 1,0|OK") }, DeadLink, "restarted by itself"},
		{"switched off", nil, func(at, _ *fakeModem) { at.say("POWERED DOWN") }, DeadLink, "switched itself off"},
		{"not registered", nil, func(at, _ *fakeModem) { at.set("+CEREG?", "+CEREG: 3,2|OK"); at.say("+CEREG: 2") }, NotRegistered, "registration was lost: searching"},
		{"not registered, nothing said", nil, func(at, _ *fakeModem) { at.set("+CEREG?", "+CEREG: 3,0|OK") }, NotRegistered, "registration was lost"},
		{"context gone", nil, func(at, _ *fakeModem) { at.set("+CGACT?", "+CGACT: 1,0|OK") }, DeadLink, "not active"},
		{"SIM out", nil, func(at, _ *fakeModem) {
			at.set("+CPIN?", "+CME ERROR: 10")
			at.set("+CEREG?", "+CEREG: 3,0|OK")
			at.say("+QUSIM: 0")
		}, SIM, "the SIM has gone"},
		{"nothing comes through", func(c *Config) {
			c.Probe = ProbeConfig{Interval: time.Second, Timeout: 2 * time.Second, Failures: 2} // it must be answered once before
		}, func(_, data *fakeModem) { data.deaf.Store(true) }, DeadLink, "no answer from the closed network"},
		{"hung up", nil, func(_, data *fakeModem) { data.drop() }, DeadLink, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at, data, cfg := twoPorts(t)
			if tt.setup != nil {
				tt.setup(&cfg)
			}
			r := start(t, cfg, fast)
			<-r.Ready()
			for i := at.count("+CGACT?"); at.count("+CGACT?") < i+2; { // it was seen active
				<-time.After(time.Millisecond)
			}
			if strings.Contains(tt.name, "comes through") {
				await(t, func() bool { p := r.Status().Probe; return p != nil && p.RTT > 0 })
			}
			tt.spoil(at, data)
			if pause := <-r.pauses; pause != 0 {
				t.Errorf("paused %v", pause)
			}
			if f := r.Status().Failure; f == nil || f.Code != tt.code || !strings.Contains(f.Message, tt.says) {
				t.Errorf("failure %+v, want %s %q", f, tt.code, tt.says)
			}
		})
	}
}

// With link: host the modem's network interface is watched, too: on LTE the context stays active without it. One that was never said to be
// connected, as where the system connects it, does not end a link.
func TestInterfaceIsWatched(t *testing.T) {
	at := newFakeModem(t, map[string]string{"+QNETDEVCTL=1,1,1": "OK", "+QNETDEVCTL?": "+QNETDEVCTL: 0,0,0,0|OK"})
	cfg := config(at.path, echoServer(t))
	cfg.Link, cfg.Host.Interface, cfg.Probe.Target = LinkHost, "lo", "none"
	r := start(t, cfg, fast)
	<-r.Ready()
	looks := func(n int) {
		before := at.count("+QNETDEVCTL?")
		await(t, func() bool { return at.count("+QNETDEVCTL?") >= before+n })
	}
	looks(3)
	if s := r.Status(); s.State != StateOnline {
		t.Fatalf("%+v", s.Failure)
	}
	at.set("+QNETDEVCTL?", "+QNETDEVCTL: 1,1,1,1|OK")
	looks(2)
	at.set("+QNETDEVCTL?", "+QNETDEVCTL: 0,0,0,0|OK")
	if pause := <-r.pauses; pause != 0 {
		t.Errorf("paused %v", pause)
	}
	if f := r.Status().Failure; f == nil || f.Code != DeadLink || !strings.Contains(f.Message, "not connected any more") {
		t.Errorf("failure %+v", f)
	}
}

// What a modem told while it was there is not how things stand when it has gone, or has lost its SIM.
func TestGoneModemIsForgotten(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(at *fakeModem)
		code  Code
		sim   string
	}{
		{"modem", func(at *fakeModem) { at.master.Close() }, NoModem, ""},
		{"SIM", func(at *fakeModem) {
			at.set("+CPIN?", "+CME ERROR: 10")
			at.set("+CEREG?", "+CEREG: 3,0|OK")
			at.say("+QUSIM: 0")
		}, SIM, "absent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at, _, cfg := twoPorts(t)
			r := start(t, cfg, fast)
			<-r.Ready()
			await(t, func() bool {
				s := r.Status()
				return s.Signal != nil && s.Operator != "" && s.Registration != "" && s.AcT != ""
			})
			tt.spoil(at)
			<-r.pauses // of the link
			r.resume <- time.Time{}
			<-r.pauses // of a round that does not come far
			s := r.Status()
			if s.Failure.Code != tt.code || s.SIM != tt.sim || s.Registration+s.AcT+s.Operator != "" || s.Signal != nil {
				t.Errorf("%s: SIM %q, registration %q %q %q, signal %v", s.Failure.Code, s.SIM, s.Registration, s.AcT, s.Operator, s.Signal)
			}
			if s.Modem == nil || s.IMSI == "" {
				t.Errorf("which modem and SIM it was: %v, %q", s.Modem, s.IMSI)
			}
			var b strings.Builder
			if writeMetrics(&b, s, readFootprint()); strings.Contains(b.String(), "_dbm") {
				t.Error("the metrics have a signal")
			}
		})
	}
}

// A command port that stalls or talks nonsense is no reason to end a link that works.
func TestLinkOutlivesItsCommandPort(t *testing.T) {
	at, data, cfg := twoPorts(t)
	r := start(t, cfg, fast, func(a *Agent) { a.timing.answer = 500 * time.Millisecond })
	<-r.Ready()
	at.set("+CEREG?", "silence")
	at.set("", "silence")
	r.says(t, "does not answer")
	at.set("+CEREG?", "+CEREG: 77,,\"x|\x01\x02|OK")
	at.set("", "OK")
	r.says(t, "answers again")
	echo(t, data)
	if s := r.Status(); s.State != StateOnline {
		t.Errorf("%+v", s.Failure)
	}
}

// The end of a link ends a question to a command port that is silent, and is no answer.
func TestEndOfLinkIsNoAnswer(t *testing.T) {
	at, data, cfg := twoPorts(t)
	r := start(t, cfg, fast, func(a *Agent) { a.timing.answer = 200 * time.Millisecond })
	<-r.Ready()
	at.set("+CEREG?", "silence")
	at.set("", "silence")
	at.set("E0Q0V1", "silence")
	r.says(t, "does not answer")
	data.drop()
	<-r.pauses
	r.stop()
	if log := r.log.String(); strings.Contains(log, "answers again") {
		t.Errorf("the log:\n%s", log)
	}
}

// A modem that never stops talking cannot hold up the end, or the link.
func TestFlood(t *testing.T) {
	at, data, cfg := twoPorts(t)
	r := start(t, cfg, fast)
	<-r.Ready()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				at.master.SetWriteDeadline(time.Now().Add(time.Second))
				at.say("+CEREG: 1")
				at.say("+CGEV: NW MODIFY 1,0")
			}
		}
	}()
	echo(t, data)
	begin := time.Now()
	r.stop()
	if d := time.Since(begin); d > 20*time.Second {
		t.Errorf("the end took %v", d)
	}
	close(stop)
	<-done
}

func TestPacketEvent(t *testing.T) {
	tests := []struct {
		line string
		want error
	}{
		{"+CGEV: NW DETACH", errDetached}, {"+CGEV: ME DETACH", errByModem}, {"+CGEV: NW PDN DEACT 1", errDeactivated},
		{"+CGEV: ME PDN DEACT 1,0", errByModem}, {"+CGEV: NW PDN DEACT 2", nil}, {"+CGEV: NW DEACT IP, 123.123.123.123, 1", errDeactivated},
		{`+CGEV: NW DEACT "IP","10.0.0.1",2`, nil}, {"+CGEV: NW DEACT IP, 123.123.123.123", errDeactivated}, {"+CGEV: ME PDN ACT 1", nil},
		{"+CGEV: REJECT IP, 1.2.3.4", nil}, {"+CGEV:", nil}, {"", nil}, {"+CGEV: NW REACT IP, 1.2.3.4, 1", nil}, {"+CGEV: NW DEACT", errDeactivated},
	}
	for _, tt := range tests {
		if err := packetEvent(tt.line, 1); !errors.Is(err, tt.want) {
			t.Errorf("%q: %v, want %v", tt.line, err, tt.want)
		}
	}
}

func FuzzURC(f *testing.F) {
	for _, s := range []string{"+CGEV: NW PDN DEACT 1", "+CEREG: 0", "RDY", "^BOOT:20952548,0,0,0,72", "+QUSIM: 0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s := &session{cid: 1, news: make(chan struct{}, 1), ends: make(chan error, 1)}
		for range 3 { // it never waits
			s.urc(atline.URC{Line: line})
		}
	})
}

// With what is shipped, a link that died is found so, and taken down, and its cure begun, within fifteen seconds. A modem that still
// speaks PPP answers the good-bye, and hangs up by itself; one that does not is found by its echoes.
func TestDeadLinkIsFoundSoon(t *testing.T) {
	var c Config
	c.setDefaults()
	d := defaultTiming().faster(c.Haste)
	for name, took := range map[string]time.Duration{
		"echo":         c.Network.EchoInterval*time.Duration(c.Network.EchoFailures+1) + d.terminate + d.hangUp,
		"probe":        c.Probe.Interval + c.Probe.Timeout*time.Duration(c.Probe.Failures) + d.terminate,
		"registration": d.watch + d.minWatch + d.regLoss + d.terminate,
	} {
		if took > 15*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}
