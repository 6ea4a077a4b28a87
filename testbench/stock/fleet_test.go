package stock

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"minato/testbench/env"
)

const (
	fleetModems    = 200
	fleetProcesses = 4 // of agents: a serial port may have no descriptor above 1023

	fleetTime   = 20 * time.Second // until all are online, on two idle cores: told, since the machine may have other work
	fleetMemory = 1536             // KiB resident a modem; twice as much fails
)

// TestFleet runs 200 modems in one process of minato-emulator, with an agent on each. All get online, in little memory, and what
// goes wrong with one is not seen by another.
func TestFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("200 agents take their time")
	}
	f := startFleet(t, fleetModems)
	took := f.awaitAgents(t, fleetProcesses)
	t.Logf("%d agents online after %s; expected on two idle cores: %s", fleetModems, took.Round(10*time.Millisecond), fleetTime)
	f.expectMemory(t)
	f.expectLoneFault(t, 7)
}

// BenchmarkFleet tells the same in figures.
func BenchmarkFleet(b *testing.B) {
	for b.Loop() {
		f := startFleet(b, fleetModems)
		b.ReportMetric(f.awaitAgents(b, fleetProcesses).Seconds(), "s-to-online")
		before, after := f.memory(b)
		b.ReportMetric(before, "KiB/modem-idle")
		b.ReportMetric(after, "KiB/modem")
	}
}

// fleet is an emulator as a program, and processes of agents.
type fleet struct {
	ctx     context.Context
	modems  int
	dir     string
	control string // base URL
	pid     int
	idle    int // KiB resident before the first agent
}

// startFleet runs minato-emulator until the test ends.
func startFleet(t testing.TB, modems int) *fleet {
	t.Helper()
	program := built.emulator(t) // and the agents' too, which takes its own time
	f := &fleet{ctx: within(t), modems: modems, dir: shortDir(t)}
	address, err := env.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	f.control = "http://" + address
	cmd := exec.Command(program, "run", "--modems", strconv.Itoa(modems), "--dir", f.dir, "--control", address, "--socks", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	f.pid = cmd.Process.Pid
	lines := bufio.NewScanner(out)
	for n := range modems {
		if !lines.Scan() {
			t.Fatalf("minato-emulator told of %d modems only", n)
		}
	}
	f.idle = resident(t, f.pid)
	return f
}

// awaitAgents runs an agent on each modem until the test ends, and tells how long it took until the last was online.
func (f *fleet) awaitAgents(t testing.TB, processes int) time.Duration {
	t.Helper()
	agents := built.agents(t)
	began := time.Now()
	online := make(chan int, f.modems)
	for p := range processes {
		first, end := p*f.modems/processes, (p+1)*f.modems/processes
		startAgents(t, agents, agentsConfig{Dir: f.dir, First: first, Count: end - first}, online)
	}
	seen := map[int]bool{}
	for len(seen) < f.modems {
		select {
		case n := <-online:
			seen[n] = true
		case <-f.ctx.Done():
			t.Fatalf("%d of %d agents are online: %v", len(seen), f.modems, context.Cause(f.ctx))
		}
	}
	return time.Since(began)
}

// startAgents runs the tests' binary as a process of agents until the test ends; the numbers of those online go to online.
func startAgents(t testing.TB, binary string, cfg agentsConfig, online chan<- int) {
	t.Helper()
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), agentsVariable+"="+string(text))
	said := &lockedBuffer{}
	cmd.Stderr = said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends with the process
		defer close(done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				online <- n // has room for all
			}
		}
		io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		in.Close() // asks it to end
		kill := time.AfterFunc(3*env.StopTimeout, func() { cmd.Process.Kill() })
		defer kill.Stop()
		<-done
		if err := cmd.Wait(); err != nil {
			t.Errorf("agents from %d: %v\n%s", cfg.First, err, said.tail(8<<10))
		}
	})
}

// memory is KiB resident a modem, before and after the agents.
func (f *fleet) memory(t testing.TB) (idle, online float64) {
	t.Helper()
	return float64(f.idle) / float64(f.modems), float64(resident(t, f.pid)) / float64(f.modems)
}

func (f *fleet) expectMemory(t *testing.T) {
	t.Helper()
	idle, online := f.memory(t)
	t.Logf("minato-emulator: %.0f KiB a modem without a call, %.0f KiB with one; wanted: at most %d", idle, online, fleetMemory)
	if online > 2*fleetMemory {
		t.Errorf("%.0f KiB a modem, at most %d are allowed", online, 2*fleetMemory)
	}
}

// resident is a process's resident memory in KiB.
func resident(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if name, value, _ := strings.Cut(line, ":"); name == "VmRSS" {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("process %d has no VmRSS", pid)
	return 0
}

// session is one SIM's connection to the network, as the control API shows it.
type session struct {
	Online bool      `json:"online"`
	Addr   string    `json:"ipAddress"`
	Since  time.Time `json:"since"`
}

func (f *fleet) sessions(t *testing.T) []session {
	t.Helper()
	var all []session
	call(t, f.control, "GET", "/v1/sims", nil, &all)
	return all
}

// expectLoneFault loses one modem's carrier, and waits until its agent has dialled again: all others still have their sessions.
func (f *fleet) expectLoneFault(t *testing.T, modem int) {
	t.Helper()
	before := f.sessions(t)
	if len(before) != f.modems {
		t.Fatalf("the network has %d SIMs, wanted %d", len(before), f.modems)
	}
	call(t, f.control, "POST", "/v1/faults", map[string]any{"name": "no-carrier", "modem": modem}, nil)
	var after []session
	await(t, f.ctx, fmt.Sprintf("modem %d to be online again", modem), func() (bool, error) {
		after = f.sessions(t)
		return after[modem].Online && after[modem].Since.After(before[modem].Since), nil
	})
	for n := range before {
		if n != modem && after[n] != before[n] {
			t.Errorf("modem %d was %+v and is %+v: it saw the fault of modem %d", n, before[n], after[n], modem)
		}
	}
}
