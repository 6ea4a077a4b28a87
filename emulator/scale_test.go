package emulator

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"minato/agent/ppp"
	"minato/emulator/ttytest"
)

// maxGrowth is what a modem with its PPP connection may add to the emulator's resident memory, in KiB.
const maxGrowth = 1536

// childModems in the environment makes of this test binary an emulator with that many modems, in the directory childDir.
const childModems, childDir = "MINATO_EMULATOR_CHILD_MODEMS", "MINATO_EMULATOR_CHILD_DIR"

// child is an emulator in a process of its own, so that what it takes can be told from what its users take. It ends with its
// standard input.
func child(modems, dir string) int {
	n, err := strconv.Atoi(modems)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	began := time.Now()
	_, stop, err := Start(Config{Modems: n, Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(time.Since(began))
	io.Copy(io.Discard, os.Stdin)
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a child that runs.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.Closer
	dir   string
	took  time.Duration // until it was ready
}

func startChild(t testing.TB, modems int) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.CommandContext(t.Context(), os.Args[0]), dir: t.TempDir()}
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", childModems, modems), childDir+"="+p.dir)
	p.cmd.Stderr = os.Stderr
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		p.took, err = time.ParseDuration(strings.TrimSpace(line))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *process) end() {
	p.t.Helper()
	p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		p.t.Error(err)
	}
}

// resident is the process's resident memory in KiB.
func (p *process) resident() int {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				p.t.Fatal(err)
			}
			return n
		}
	}
	p.t.Fatal("no VmRSS")
	return 0
}

// TestMemory measures what each of 50 modems takes, idle and with a call.
func TestMemory(t *testing.T) {
	const modems = 50
	one := startChild(t, 1)
	defer one.end()
	many := startChild(t, modems)
	defer many.end()
	idle := (many.resident() - one.resident()) / (modems - 1)

	before := one.resident()
	var links []*ttytest.Link
	for n := range modems {
		u := ttytest.Open(t, filepath.Join(many.dir, fmt.Sprintf("modem%d", n), "ppp"))
		u.AT("ATE0")
		u.Registered()
		u.AT(`AT+CGDCONT=1,"IP","soracom.io"`)
		u.AT("ATD*99#")
		links = append(links, u.PPP(ppp.Config{User: "sora", Password: "sora"}))
	}
	for _, l := range links {
		l.Await()
	}
	connected := (many.resident() - before) / (modems - 1)
	t.Logf("each modem takes %d KiB, with its PPP connection %d KiB; %d were ready after %v", idle, connected, modems, many.took)
	for _, l := range links {
		l.Stop()
	}
	for _, l := range links {
		l.End()
	}
	if connected > maxGrowth && !raceEnabled {
		t.Errorf("a modem with its PPP connection takes %d KiB, more than %d", connected, maxGrowth)
	}
}

// TestManyModems: 200 come up together, and each answers.
func TestManyModems(t *testing.T) {
	const modems = 200
	p := startChild(t, modems)
	defer p.end()
	t.Logf("%d modems were ready after %v, with %d MiB", modems, p.took, p.resident()>>10)
	for n := range modems {
		u := ttytest.Open(t, filepath.Join(p.dir, fmt.Sprintf("modem%d", n), "at"))
		u.AT("ATE0")
		if got := u.AT("AT+CGMM"); !strings.HasSuffix(got, "\r\nEC25\r\n\r\nOK\r\n") {
			t.Errorf("modem %d says %q", n, got)
		}
		u.Close()
	}
}
