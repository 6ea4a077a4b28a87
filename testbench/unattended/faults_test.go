package unattended

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"minato/agent"
	"minato/agent/tty"
	"minato/emulator"
	"minato/emulator/fault"
	"minato/testbench/env"
)

var update = flag.Bool("update", false, "write FAULTS.md anew")

// tableFile is for people: README.md links it.
const tableFile = "FAULTS.md"

// atOnce is how many rows run at a time: they wait for most of it, so that t.Parallel's one a core would take long.
const atOnce = 10

// haste is how much faster than shipped the agent waits in these tests.
const haste = 3

// A row is a fault, and what the world does about it.
type row struct {
	fault  string
	params map[string]string
	with   string // what is done besides; "": nothing
	anew   bool   // the agent has ended before the fault, and starts into it
	end    end
	code   agent.Code // of the failure after which the world repairs it, or which waits for a person
	either bool       // echoes and probes fail alike, and whichever is first tells
	chance bool       // which command meets the fault, the watcher's or the next round's, decides how far back the agent goes
	on     device
}

// end is how a fault ends.
type end int

const (
	unseen    end = iota // it lasts, and the link outlives it
	byItself             // the link is lost, and the agent gets it back: the fault happens once, or it lasts and can be lived with
	repaired             // it ends when the agent has told of it: the network is itself again, the SIM back in its place
	forPerson            // it stays, and nothing that the agent may do helps
)

// cut, as what is done besides, cuts the link, so that a modem that has to answer meets the fault.
const cut = "no-carrier"

// device is a modem and how it is configured, as far as it is no EC25 on USB without a PIN.
type device struct {
	name        string // in the table
	personality string
	onePort     bool
	pin         string // what the agent is told
}

var (
	uart     = device{name: "LARA-R6 on a UART", personality: "ublox-lara-r6", onePort: true}
	onePort  = device{name: "EC25, one port", onePort: true}
	rightPIN = device{name: "the right PIN configured", pin: "1234"}
	wrongPIN = device{name: "a wrong PIN configured", pin: "4321"}
	noPIN    = device{name: "no PIN configured"}
)

type params = map[string]string

// rows has every fault of the catalogue at least once; a fault that it lacks fails the test. The codes are those of the causes.
var rows = []row{
	{fault: "no-carrier", end: byItself},
	{fault: "silent-link", end: repaired, code: agent.DeadLink},
	{fault: "silent-link", params: params{"lcp": "true"}, end: repaired, code: agent.DeadLink, either: true},
	{fault: "silent-link", anew: true, end: repaired, code: agent.DeadLink},
	{fault: "terminate-request", end: byItself},
	{fault: "echo-loss", end: repaired, code: agent.DeadLink},
	{fault: "loopback", end: repaired, code: agent.DeadLink, either: true},
	{fault: "fcs-errors", params: params{"rate": "2"}},
	{fault: "auth-refused", with: cut, end: repaired, code: agent.PPPAuth},
	{fault: "ipcp-silent", with: cut, end: repaired, code: agent.NoAddress},
	{fault: "dns-nak", with: cut, end: repaired, code: agent.NoAddress},
	{fault: "deact", end: byItself},
	{fault: "detach", end: byItself},
	{fault: "detach", params: params{"reattach": "false"}, end: repaired, code: agent.DeadLink},
	{fault: "registration-denied", end: repaired, code: agent.NotRegistered},
	{fault: "registration-denied", end: forPerson, code: agent.NotRegistered},
	{fault: "flapping", params: params{"on": "2s", "off": "1s"}},
	{fault: "weak-signal", params: params{"loss": "2"}},
	{fault: "sim-out", end: repaired, code: agent.SIM},
	{fault: "sim-busy", end: repaired, code: agent.SIM},
	{fault: "sim-busy", params: params{"count": "5"}, end: byItself},
	{fault: "sim-busy", params: params{"absent": "2", "count": "3"}, end: byItself},
	{fault: "sim-pin", on: rightPIN, end: byItself},
	{fault: "sim-pin", on: wrongPIN, end: forPerson, code: agent.SIM},
	{fault: "sim-pin", on: noPIN, end: forPerson, code: agent.SIM},
	{fault: "sim-puk", on: rightPIN, end: forPerson, code: agent.SIM},
	{fault: "reboot", end: byItself},
	{fault: "port-vanish", end: byItself},
	{fault: "port-vanish", params: params{"reset": "true", "suffix": ""}, end: byItself},
	{fault: "stalled-reader", end: byItself, either: true},
	{fault: "baud-mismatch", on: onePort, end: byItself, either: true},
	{fault: "fragments", with: cut, end: byItself},
	{fault: "cmux-split", params: params{"gap": "100us"}, on: onePort},
	{fault: "cmux-n1", params: params{"n1": "16"}, on: uart, end: repaired, code: agent.DeadLink, either: true},
	{fault: "late-reply", params: params{"delay": "500ms"}, with: cut, end: byItself},
	{fault: "lagging-reply", with: cut, end: repaired, code: agent.NoModem},
	{fault: "lost-command", with: cut, end: byItself, chance: true},
	{fault: "error-once", with: cut, end: byItself},
	{fault: "echo-on", with: cut, end: byItself},
	{fault: "echo-on", params: params{"forced": "true"}, with: cut, end: byItself},
	{fault: "urc-in-reply", with: cut, end: byItself},
	{fault: "glued-urcs", with: cut, end: byItself},
	{fault: "glued-urcs", params: params{"between": "half"}, with: cut, end: byItself},
	{fault: "sms-flood", with: cut, end: byItself},
}

// TestFaultTable goes through the catalogue, and holds what the agent did to FAULTS.md: nobody may be needed for what can be cured.
func TestFaultTable(t *testing.T) {
	for _, f := range fault.All {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.fault == f.Name }) {
			t.Errorf("fault %s has no row: add one to rows, then run with -update", f.Name)
		}
	}
	got := make([]string, len(rows))
	var running sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i, r := range rows {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			t.Run(r.name(), func(t *testing.T) { got[i] = r.run(t) })
		})
	}
	running.Wait()
	if t.Failed() || slices.Contains(got, "") { // -run chose some
		return
	}
	text := tableHead + strings.Join(got, "") + tableTail
	if *update {
		if err := os.WriteFile(tableFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); d != "" {
		t.Errorf("FAULTS.md is not what happens (-want +got); -update writes it anew:\n%s", d)
	}
}

// name is the row's in the table and in the test's output.
func (r row) name() string {
	name := "`" + r.fault
	for _, k := range slices.Sorted(maps.Keys(r.params)) {
		name += " " + k + "=" + r.params[k]
	}
	name += "`"
	if r.with != "" {
		name += ", then `" + r.with + "`"
	}
	if r.anew {
		name += ", then the agent starts anew"
	}
	if r.on.name != "" {
		name += "; " + r.on.name
	}
	return name
}

// run makes the fault happen to a device that is online, and gives the row of the table.
func (r row) run(t *testing.T) string {
	ctx := within(t)
	e := startEmulator(t, emulator.Config{Personality: r.on.personality})
	m, s := e.Modem(0), newStory()
	cfg := r.config(e)
	cfg.StateDir = t.TempDir()
	a, end := startAgent(t, cfg, s)
	_, err := s.await(ctx, 0, 1, isOnline)
	if err == nil { // a probe is believed once it was answered
		err = env.Await(ctx, "a probe", func() (bool, error) { p := a.Status().Probe; return p != nil && p.RTT > 0, nil })
	}
	if r.anew {
		end()
	}
	place, begin := s.now(), time.Now()
	if err == nil {
		err = m.Inject(r.fault, r.params)
	}
	if err == nil && r.anew {
		startAgent(t, cfg, s)
		if _, err = s.await(ctx, place, 1, isOnline); err == nil {
			place = s.now()
		}
	}
	if err == nil && r.with != "" {
		err = m.Inject(r.with, nil)
	}
	defer func() {
		if t.Failed() || testing.Verbose() {
			for _, ev := range s.since(place) {
				t.Log(ev.Text, ev.Attrs)
			}
		}
	}()
	outcome := ""
	if err == nil {
		outcome, err = r.follow(ctx, e, s, place)
	}
	if err != nil {
		t.Fatalf("after %v: %v", time.Since(begin).Round(time.Millisecond), err)
	}
	t.Logf("over after %v", time.Since(begin).Round(time.Millisecond))
	return fmt.Sprintf("| %s | %s | %s | %s |\n", r.name(), r.noticed(s.since(place)), r.done(s.since(place)), outcome)
}

// follow waits for what the row expects, and tells how it ended.
func (r row) follow(ctx context.Context, e *emulator.Emulator, s *story, place int) (outcome string, err error) {
	if r.end == unseen {
		return "the link goes on; VNC works meanwhile", awaitView(ctx, e, 0)
	}
	told := func(ev event) bool { return ev.Attrs["code"] == string(r.code) }
	switch r.end {
	case forPerson:
		last, err := s.await(ctx, place, patientRounds, func(ev event) bool { return told(ev) && ev.Attrs["class"] == agent.ClassPerson.String() })
		return fmt.Sprintf("**waits for a person**: %s %s: %s", last.Attrs["code"], last.Text, last.Attrs["hint"]), err
	case repaired:
		times := 1
		if r.anew { // what no earlier agent was told ends the first link only
			times = 2
		}
		if _, err := s.await(ctx, place, times, told); err != nil {
			return "", err
		}
		e.Modem(0).ClearFault(r.fault)
		outcome = "VNC works once that is over"
	default:
		if _, err := s.await(ctx, place, 1, isFailure); err != nil {
			return "", err
		}
		outcome = "VNC works"
	}
	if _, err := s.await(ctx, place, 1, isOnline); err != nil {
		return "", err
	}
	return outcome, awaitView(ctx, e, 0)
}

// patientRounds is how many rounds that wait for a person make a state stable.
const patientRounds = 3

// signs are what the agent's errors tell of how a lost link was noticed.
var signs = []struct{ text, sign string }{
	{"port has gone", "the port is gone"},
	{"LCP echo", "no LCP echo"},
	{"no answer from the closed network", "no answer to the probe"},
	{"NO CARRIER", "the modem says so"},
	{"the peer ended the PPP link", "the modem says so"},
	{"the network de", "the modem says so"},
	{"the modem ended the context", "the modem says so"},
	{"restarted by itself", "the modem says so"},
}

// noticed tells the first failure and, where it is another, the one that was waited for.
func (r row) noticed(events []event) string {
	var list []string
	for _, ev := range events {
		code := agent.Code(ev.Attrs["code"])
		if code == "" || len(list) > 0 && (code != r.code || strings.HasPrefix(list[0], string(code))) {
			continue
		}
		entry := fmt.Sprintf("%s %s", code, ev.Text)
		for _, s := range signs {
			if strings.Contains(ev.Attrs["error"], s.text) {
				if strings.HasPrefix(s.sign, "no ") && r.either {
					s.sign = "no LCP echo, no answer to the probe"
				}
				entry += ": " + s.sign
				break
			}
		}
		if list = append(list, entry); len(list) == 2 {
			break
		}
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, "; ")
}

// done tells the cures, and how far back the agent began anew.
func (r row) done(events []event) string {
	var cures []string
	again := ""
	for _, ev := range events {
		switch {
		case ev.Text == "cure":
			cures = append(cures, ev.Attrs["cure"])
		case ev.Text == "state" && ev.Attrs["state"] == agent.StatePort.String():
			again = "opens the port again"
		case ev.Text == "state" && ev.Attrs["state"] == agent.StateRegistered.String() && again == "":
			again = "dials again"
		}
	}
	switch {
	case r.end == forPerson:
		again = "asks seldom"
	case r.chance && again != "":
		again = "opens the port or dials again"
	}
	cures = slices.Compact(append(cures, again))
	return cmp.Or(strings.Join(cures, ", "), "nothing")
}

// config is the agent's, as on a device: the screen is its service.
func (r row) config(e *emulator.Emulator) agent.Config {
	cfg := agent.Config{
		Haste:    haste,
		Modem:    agent.ModemConfig{Port: "auto", PIN: r.on.pin},
		Services: []agent.ServiceConfig{{Name: "vnc", Port: 5900, Target: "builtin:vnc"}},
		Targets:  agent.TargetsConfig{VNCPassword: vncPassword},
		Cures:    agent.CuresConfig{PowerCycle: []string{os.Args[0], powerSwitch, "http://" + e.ControlAddr() + "/v1/modems/0"}},
	}
	dir := filepath.Join(e.Dir(), "modem0")
	cfg.FindUSB = func(string) (tty.USBModem, error) {
		found := tty.USBModem{AT: newestPort(dir, "at"), PPP: newestPort(dir, "ppp")}
		if found.AT == "" {
			return found, &tty.Error{Path: "auto", Err: tty.ErrNotFound}
		}
		return found, nil
	}
	if r.on.onePort {
		cfg.Modem.Port = e.Modem(0).ATPath()
	}
	if r.end == forPerson { // its pauses are the longest
		cfg.Backoff.Max = haste * time.Second
	}
	return cfg
}

// startAgent runs an agent in this process until end, or until the test ends.
func startAgent(t testing.TB, cfg agent.Config, log slog.Handler) (a *agent.Agent, end func()) {
	t.Helper()
	cfg.Logger = slog.New(log)
	a, err := agent.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }() // waited for at the test's end
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("agent: %v", err)
		}
	})
	t.Cleanup(end)
	return a, end
}

const tableHead = `# What goes wrong, and what the agent makes of it

Written by the test of this folder (TestFaultTable, with -update): every fault of the emulator's catalogue, injected into a modem whose agent is
online; what the agent noticed, by the codes of its causes; what it did; and how that ended. The agent has the timers that it is shipped with, three times
as fast. "VNC works" is a viewer that logs in to the device's screen through the link and takes it whole, with nobody touching the device.

Unless it says otherwise the modem is an EC25 with two ports, found on USB, and its power can be switched.

| fault | noticed | done | end |
|---|---|---|---|
`

const tableTail = `
A dead link is noticed, with the shipped timers, within: at once where the modem says so or its port is gone; 10 s by LCP echoes; 11 s by probes; 14 s by a registration or a
context that is gone without a word. A test of the agent computes these; make soak measures them.
`
