package agent

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minato/agent/atline"
	"minato/agent/cmux"
)

// A modem that restarts while the agent waits for the network is noticed at once, and each time counts: it is not the restart of a cure.
func TestRestartBeforeTheLink(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers map[string]string
		waits   string // for an answer to this, which never comes: one that came late would be taken for the next round's
		says    string
		want    string
		state   State
	}{
		{"registration", map[string]string{"+CEREG?": "silence"}, "+CEREG?", "RDY", "restarted by itself", StateRegistered},
		{"attachment", map[string]string{"+CGATT?": "+CGATT: 0|OK", "+CGATT=1": "silence"}, "+CGATT=1", "START", "restarted by itself", StateContext},
		{"dial", map[string]string{"D*99***1#": "silence"}, "D*99***1#", "RDY", "restarted by itself", StateDial},
		{"dial of a modem that goes", map[string]string{"D*99***1#": "silence"}, "D*99***1#", "NORMAL POWER DOWN", "switched itself off", StateDial},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeModem(t, tt.answers)
			r := start(t, config(f.path, "127.0.0.1:9"))
			asked := 0
			for _, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
				await(t, func() bool { return f.count(tt.waits) > asked })
				f.say(tt.says)
				if d := <-r.pauses; d != pause {
					t.Errorf("paused %v, want %v", d, pause)
				}
				got := r.Status().Failure
				if got.Code != NoModem || got.State != tt.state || !strings.Contains(got.Message, tt.want) || !strings.Contains(got.Hint, "power supply") {
					t.Errorf("%+v", got)
				}
				asked = f.count(tt.waits)
				r.resume <- time.Time{}
			}
			if n := f.count("+CGMI"); n < 3 {
				t.Errorf("identified %d times", n)
			}
		})
	}
}

// The same where it is said on the port beside the one that dials.
func TestRestartOnTheOtherPort(t *testing.T) {
	at, data, cfg := twoPorts(t)
	data.set("D*99***1#", "silence")
	r := start(t, cfg)
	await(t, func() bool { return data.count("D*99***1#") > 0 })
	at.say("RDY")
	<-r.pauses
	if got := r.Status().Failure; got.Code != NoModem || got.State != StateDial {
		t.Errorf("%+v", got)
	}
	data.set("D*99***1#", "CONNECT")
	r.resume <- time.Time{}
	<-r.Ready()
}

// What a modem says that boots already, or goes on running, ends no dial.
func TestWhatIsNoRestart(t *testing.T) {
	for says, want := range map[string]int{"RDY": 1, "START": 1, "POWERED DOWN": 1, "APP RDY": 0, "^BOOT:20952548,0,0,0,72": 0, "+CGEV: NW DETACH": 0, "+CPIN: READY": 0} {
		s := &session{news: make(chan struct{}, 1), ends: make(chan error, 1), begun: make(chan error, 1)}
		s.urc(atline.URC{Line: says})
		if len(s.begun) != want {
			t.Errorf("%q: %d restarts", says, len(s.begun))
		}
	}
	f := newFakeModem(t, map[string]string{"+CGMR": "RDY|EC25EFAR06A11M4G|OK"}) // while the agent speaks to it for the first time
	r := start(t, config(f.path, echoServer(t)))
	select {
	case <-r.Ready():
	case <-r.pauses:
		t.Errorf("%+v", r.Status().Failure)
	}
}

// A modem that restarts in the multiplexer speaks AT, which nobody reads there.
func TestRestartInTheMultiplexer(t *testing.T) {
	t.Parallel()
	f := newFakeModem(t, map[string]string{"D*99***1#": "silence"})
	f.cmux = true
	r := start(t, config(f.path, echoServer(t)), fast)
	await(t, func() bool { return f.count("D*99***1#") > 0 })
	await(t, r.currentSession().mux.answers.Load)
	f.restart()
	<-r.pauses
	if got := r.Status().Failure; got.Code != NoModem || got.State != StateDial || !strings.Contains(got.Message, "multiplexer") || !strings.Contains(got.Hint, "power supply") {
		t.Errorf("%+v", got)
	}
	f.set("D*99***1#", "CONNECT")
	r.resume <- time.Time{}
	<-r.Ready()
	echo(t, f)
}

// What is announced as a step ends is told by it, or waits for the next one.
func TestRestartAsAStepEnds(t *testing.T) {
	for range 2000 { // either happens
		s := &session{begun: make(chan error, 1)}
		step := attended(func(*round, context.Context) error { tell(s.begun, errRebooted); return nil })
		if err := step(&round{agent: &Agent{}, session: s}, t.Context()); err != errRebooted && len(s.begun) == 0 {
			t.Fatalf("%v, and nothing is left to tell", err)
		}
	}
}

// The silence of a multiplexer counts where it has answered before, and where it lasts.
func TestSilentMultiplexer(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers int // Test commands that are answered
		silent  int // and then, that are not; the later ones are
		want    error
	}{
		{"knows no Test", 0, 1000, nil},
		{"busy for a moment", 1, 2 * 4, nil}, // repetitions included
		{"gone", 2, 1000, errLeftMultiplex},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, peer := net.Pipe()
				defer peer.Close()
				x := &multiplex{mux: cmux.New(ours, cmux.Config{})}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				ended := make(chan error, 1)
				go func() { ended <- x.mux.Run(ctx) }()
				go func() { // the modem; ends with the pipe
					tests, b, d := 0, make([]byte, 64), cmux.NewDecoder(64)
					for {
						n, err := peer.Read(b)
						if err != nil {
							return
						}
						d.Decode(b[:n], func(f cmux.Frame) bool {
							switch {
							case f.Type == cmux.SABM:
								f.Type = cmux.UA
							case f.Type == cmux.UIH && len(f.Info) > 0 && f.Info[0] == 0x23: // Test, a command
								if tests++; tests > tt.answers && tests <= tt.answers+tt.silent {
									return true
								}
								f.Command, f.Info = false, append([]byte{0x21}, f.Info[1:]...)
							default:
								return true
							}
							peer.Write(cmux.AppendFrame(nil, f))
							return true
						})
					}
				}()
				if err := x.attend(ctx, time.Second); err != tt.want {
					t.Errorf("%v, want %v", err, tt.want)
				}
				cancel()
				peer.Close()
				<-ended
			})
		})
	}
}
