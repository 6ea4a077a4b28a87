package agent

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minato/emulator"
)

// A setup is a device that is broken in one way, beside the emulator's world. Each field that is nil or empty is as it should be.
type setup struct {
	name    string
	world   emulator.Config
	fault   string // injected before the agent starts, or when it is online
	params  map[string]string
	waits   State                     // whose deadline is waited for
	online  bool                      // the fault comes when the device is online
	config  func(*testing.T, *Config) // the agent's
	check   string                    // that must fail, and alone
	code    Code                      //
	says    []string                  // in the check, with the agent running and without
	running string                    // and this, with the agent running only
	alone   string                    // and this, without only
}

var setups = []setup{
	{name: "no tty", config: func(t *testing.T, c *Config) {
		c.Modem.Port, c.Modem.PPPPort = filepath.Join(t.TempDir(), "ttyUSB2"), ""
	},
		check: "port", code: NoModem, says: []string{"no such port", "check the cable"}},
	{name: "a file that is no tty", config: func(t *testing.T, c *Config) { c.Modem.Port, c.Modem.PPPPort = os.DevNull, "" },
		check: "port", code: NoModem, says: []string{"not a serial port"}},
	{name: "held by another program", config: func(t *testing.T, c *Config) { holdByProgram(t, c.Modem.Port) },
		check: "port", code: NoModem, says: []string{"held by cat (pid ", "one owner"}},
	{name: "silent modem", fault: "stalled-reader", waits: StateIdentify, check: "modem", code: NoModem, says: []string{"AT port"}},

	{name: "SIM absent", fault: "sim-out", check: "SIM", code: SIM, says: []string{"no SIM", "insert the SIM"}},
	{name: "SIM busy", fault: "sim-busy", waits: StateSIM, check: "SIM", code: SIM, says: []string{"has not read its SIM", "seat the SIM anew"}},
	{name: "PIN not configured", world: emulator.Config{Cards: []emulator.Card{{PIN: "1234"}}}, check: "SIM", code: SIM, says: []string{"asks for its PIN", "set modem.pin"}, alone: "3 tries left"},
	{name: "PUK", fault: "sim-puk", check: "SIM", code: SIM, says: []string{"PUK", "unblock the SIM"}},
	{name: "wrong PIN", world: emulator.Config{Cards: []emulator.Card{{PIN: "1234"}}}, config: func(_ *testing.T, c *Config) { c.Modem.PIN = "9999" },
		check: "SIM", code: SIM, says: []string{"PIN", "2 tries left", "correct modem.pin"}},

	{name: "weak signal", fault: "weak-signal", params: map[string]string{"loss": "0"}, check: "signal", code: WeakSignal, says: []string{"RSRP -128 dBm", "antenna"}},
	{name: "searching", fault: "flapping", params: map[string]string{"off": "1h"}, waits: StateRegistered, check: "registration", code: NotRegistered, says: []string{"searching"}},
	{name: "denied", fault: "registration-denied", check: "registration", code: NotRegistered, says: []string{"denied", "contract"}},

	{name: "unknown APN", config: func(_ *testing.T, c *Config) { c.Network.APN = "soracom.jp" }, check: "context", code: NoContext, says: []string{"APN", "network.apn"}},
	{name: "wrong password", config: func(_ *testing.T, c *Config) { c.Network.User, c.Network.Password = "sora", "sorry" },
		check: "authentication", code: PPPAuth, says: []string{"network.password"}},
	{name: "refused in PPP", fault: "auth-refused", check: "authentication", code: PPPAuth, says: []string{"refused", "network.user"}},
	{name: "no IPCP answer", fault: "ipcp-silent", waits: StatePPP, check: "address", code: NoAddress, says: []string{"bearer was not ready"}},
	{name: "naks for ever", fault: "dns-nak", check: "address", code: NoAddress, says: []string{"bearer was not ready"}},
	{name: "dead link", fault: "silent-link", online: true,
		config: func(_ *testing.T, c *Config) { c.Probe = ProbeConfig{Interval: time.Second, Timeout: time.Second} }, check: "link", code: DeadLink, says: []string{"no answer from the closed network"}, running: "next step: redial", alone: "ladder of cures"},
	{name: "dead modem behind the link", fault: "silent-link", params: map[string]string{"lcp": "true"}, online: true, config: func(_ *testing.T, c *Config) { c.Probe.Target, c.Network.EchoInterval = "none", time.Second },
		check: "link", code: DeadLink, running: "echo"},

	{name: "service not started", config: func(t *testing.T, c *Config) { c.Services[0].Target = "tcp://" + freePort(t) }, check: "local port of echo", code: ServiceDown, says: []string{"refused", "start that program"}},
	{name: "forward's port taken", config: func(t *testing.T, c *Config) {
		c.Forwards = []ForwardConfig{{Listen: takenPort(t), To: "100.127.0.1:80"}}
	},
		check: "forward ", code: ServiceDown, says: []string{"in use", "end the program"}},

	{name: "nothing wrong"},
}

// Doctor on broken set-ups, with the emulator as the modem: the check that fails is the real cause, it alone fails, and it says what to
// do; with the agent running, by its status, and without, by trying.
func TestDoctorOnBrokenSetUps(t *testing.T) {
	t.Parallel()
	for _, tt := range setups {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.world.Dir = t.TempDir()
			e, stop, err := emulator.Start(tt.world)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := stop(); err != nil {
					t.Errorf("emulator: %v", err)
				}
			})
			cfg := config(e.Modem(0).ATPath(), echoServer(t))
			cfg.Modem.PPPPort = e.Modem(0).PPPPath()
			cfg.Probe.Timeout, cfg.Network.EchoInterval = 20*time.Second, 20*time.Second // the machine may be busy
			cfg.StateDir, cfg.StatusSocket = t.TempDir(), filepath.Join(t.TempDir(), "agent.sock")
			if tt.config != nil {
				tt.config(t, &cfg)
			}
			inject := func() {
				if tt.fault == "" {
					return
				}
				if err := e.Modem(0).Inject(tt.fault, tt.params); err != nil {
					t.Fatal(err)
				}
			}
			if !tt.online {
				inject()
			}
			t.Run("agent running", func(t *testing.T) {
				r := start(t, cfg, tt.hasten)
				defer r.stop()
				if tt.online {
					<-r.Ready()
					await(t, func() bool {
						s := r.Status()
						return s.Probe != nil && s.Probe.Missed == 0 || cfg.Probe.Target == "none"
					})
					inject()
				}
				s := settled(t, r, cfg.StatusSocket, tt.online)
				tt.judge(t, CheckLocal(t.Context(), s.Checks(), cfg, s.Forwards), tt.running)
			})
			t.Run("without", func(t *testing.T) {
				if tt.running != "" && tt.alone == "" {
					return // only a link that was up can be lost so
				}
				tt.judge(t, diagnose(t.Context(), cfg, tt.hasten), tt.alone)
			})
		})
	}
}

// hasten shortens the wait that the set-up ends in.
func (tt *setup) hasten(a *Agent) {
	a.timing.denied, a.timing.absent, a.timing.poll = 0, 0, 50*time.Millisecond
	if tt.waits != StateIdle {
		a.timing.deadlines[tt.waits] = 3 * time.Second
	}
	if tt.waits == StateIdentify {
		a.timing.probe = 500 * time.Millisecond
	}
}

// settled waits until the agent is online, or has failed, and asks it as the program does.
func settled(t *testing.T, r *running, socket string, broken bool) Status {
	t.Helper()
	var s Status
	await(t, func() bool {
		var err error
		s, err = NewClient(socket).Status(t.Context())
		up := s.State == StateOnline && s.Signal != nil && s.Probe != nil
		return err == nil && (s.Failure != nil || up && !broken)
	})
	return s
}

// judge wants one failed check, by name, code and words.
func (tt *setup) judge(t *testing.T, top Check, more string) {
	t.Helper()
	t.Log(flatten(top))
	cause := top.Cause()
	if tt.check == "" {
		if cause != nil {
			t.Errorf("%+v", cause)
		}
		return
	}
	if cause == nil {
		t.Fatal("no check fails")
	}
	if !strings.HasPrefix(cause.Name, tt.check) || cause.Code != tt.code {
		t.Errorf("the cause is %s [%s], want %s [%s]: %s", cause.Name, cause.Code, tt.check, tt.code, cause.Detail)
	}
	if n := strings.Count(flatten(top), "["); n != 1 {
		t.Errorf("%d checks fail: %s", n, flatten(top))
	}
	for _, words := range append(tt.says, more) {
		if !strings.Contains(cause.Detail+"; "+cause.Hint, words) {
			t.Errorf("%q is not in %q, hint %q", words, cause.Detail, cause.Hint)
		}
	}
}

// holdByProgram has another program, cat, hold the port, as minicom and others do: what it repeats tells that it is there.
func holdByProgram(t *testing.T, port string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "flock", "--exclusive", "--no-fork", port, "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); cmd.Wait() })
	fmt.Fprintln(in, "held")
	if _, err := fmt.Fscanln(out, new(string)); err != nil {
		t.Fatal(err)
	}
}

func takenPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
