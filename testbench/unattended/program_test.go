package unattended

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"minato/agent"
	"minato/testbench/env"
)

// program is minato-agent, built stripped as it is shipped, once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "unattended-agent")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "minato-agent")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "minato/agent/cmd/minato-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building minato-agent: %w: %s", err, out)
	}
	return path, nil
})

// agentFile is the configuration of a device in the field: what is not said is as shipped.
const agentFile = `modem: {port: %q%s}
network: {apn: soracom.io}
services:
  - {name: vnc, port: 5900, target: "builtin:vnc"}
  - {name: web, port: 80, target: "builtin:http"}
  - {name: modbus, port: 502, target: "builtin:modbus"}
  - {name: ssh, port: 22, target: "builtin:ssh"}
targets: {vnc_password: %q, ssh: {passwords: {field: field}}}
cures: {power_cycle: [%q, %q, %q]}
state_dir: %q
status_socket: %q
metrics: %q
log: {format: json}
`

// place is where minato-agent runs as a program, one process after the other.
type place struct {
	file    string
	socket  string
	metrics string
}

// process is one run of the program.
type process struct {
	cmd    *exec.Cmd
	lines  chan map[string]any // its log; it is closed at the end
	ended  chan struct{}
	stderr *tail
}

// tail keeps the last lines of a log, for a test that fails.
type tail struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (l *tail) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines = append(l.lines, line); len(l.lines) > 60 {
		l.lines = l.lines[1:]
	}
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// newPlace writes the configuration of an agent at a modem, whose power the emulator's control API switches.
func newPlace(t testing.TB, at, ppp, control string, modem int) *place {
	t.Helper()
	dir := shortDir(t)
	metrics, err := env.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{file: filepath.Join(dir, "agent.yaml"), socket: filepath.Join(dir, "agent.sock"), metrics: metrics}
	if ppp != "" {
		ppp = fmt.Sprintf(", ppp_port: %q", ppp)
	}
	text := fmt.Sprintf(agentFile, at, ppp, vncPassword, os.Args[0], powerSwitch, fmt.Sprintf("http://%s/v1/modems/%d", control, modem), dir, p.socket, metrics)
	if err := os.WriteFile(p.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// change edits the configuration.
func (p *place) change(t testing.TB, old, changed string) {
	t.Helper()
	b, err := os.ReadFile(p.file)
	if err == nil {
		err = os.WriteFile(p.file, []byte(strings.Replace(string(b), old, changed, 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (p *place) withCMUX(t testing.TB, how string) {
	p.change(t, "modem: {", "modem: {cmux: \""+how+"\", ")
}
func (p *place) withPIN(t testing.TB, pin string) {
	p.change(t, "modem: {", "modem: {pin: \""+pin+"\", ")
}

// start runs the program until kill or the test's end.
func (p *place) start(t testing.TB) *process {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	r := &process{cmd: exec.Command(path, "run", "-c", p.file), lines: make(chan map[string]any, 10_000), ended: make(chan struct{}), stderr: &tail{}}
	out, err := r.cmd.StderrPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go r.read(bufio.NewScanner(out)) // ends with the process, which kill or the test's end waits for
	t.Cleanup(func() {
		r.cmd.Process.Signal(syscall.SIGTERM)
		<-r.ended
		if t.Failed() {
			t.Logf("the agent's last words:\n%s", r.stderr)
		}
	})
	return r
}

// read takes the log apart. Lines that nobody asks for are let go of.
func (r *process) read(s *bufio.Scanner) {
	defer close(r.ended)
	for s.Scan() {
		r.stderr.add(s.Text())
		var line map[string]any
		if json.Unmarshal(s.Bytes(), &line) != nil {
			continue
		}
		select {
		case r.lines <- line:
		default:
		}
	}
	r.cmd.Wait()
	close(r.lines)
}

// kill ends the process as the kernel does when memory is short: with no time for anything.
func (r *process) kill() {
	r.cmd.Process.Kill()
	<-r.ended
}

// status asks the agent.
func (p *place) status(ctx context.Context) (agent.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return agent.NewClient(p.socket).Status(ctx)
}

// awaitOnline waits until the agent says that its services can be reached.
func (p *place) awaitOnline(ctx context.Context) error {
	return env.Await(ctx, "the agent to be online", func() (bool, error) {
		s, err := p.status(ctx)
		if err == nil && s.State != agent.StateOnline && s.Failure != nil {
			err = fmt.Errorf("%s: %s %s", s.State, s.Failure.Code, s.Failure.Message)
		}
		return s.State == agent.StateOnline, err
	})
}

// footprint is what a process takes.
type footprint struct {
	RSS        float64 `json:"rss_bytes"`
	Goroutines float64 `json:"goroutines"`
	CPU        float64 `json:"cpu_seconds"`
}

// footprint reads the agent's own metrics.
func (p *place) footprint(ctx context.Context) (f footprint, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.metrics+"/metrics", nil)
	if err != nil {
		return f, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return f, err
	}
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	s := bufio.NewScanner(resp.Body)
	for s.Scan() {
		name, value, _ := strings.Cut(s.Text(), " ")
		to := map[string]*float64{"process_resident_memory_bytes": &f.RSS, "go_goroutines": &f.Goroutines, "process_cpu_seconds_total": &f.CPU}[name]
		if to != nil {
			if *to, err = strconv.ParseFloat(value, 64); err != nil {
				return f, err
			}
		}
	}
	return f, s.Err()
}
