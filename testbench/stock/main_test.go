package stock

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/emulator"
	"minato/testbench/env"
)

var record = flag.Bool("record", false, "write what the peers said into testdata")

// patience bounds a whole test on a machine that is busy with other tests; an idle one takes a tenth of it.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	if config, child := os.LookupEnv(agentsVariable); child {
		os.Exit(runAgents(config, os.Stdin, os.Stdout, os.Stderr))
	}
	if program, inside := os.LookupEnv(tunVariable); inside {
		os.Exit(runInside(program))
	}
	goleak.VerifyTestMain(suite{m})
}

// suite removes what the tests built.
type suite struct{ *testing.M }

func (s suite) Run() int {
	code := s.M.Run()
	built.remove()
	return code
}

// within gives a context that ends with the test, or when patience does.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("not within %s", patience))
	t.Cleanup(cancel)
	return ctx
}

// need fails the test, or skips it where what is missing may be missing.
func need(t testing.TB, err error) {
	t.Helper()
	var missing *env.MissingError
	switch {
	case errors.As(err, &missing) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}

// tool finds a program that nobody here wrote.
func tool(t testing.TB, program, debianPackage string) string {
	t.Helper()
	path, err := env.Tool(program, debianPackage)
	need(t, err)
	return path
}

// await waits until done is true.
func await(t testing.TB, ctx context.Context, what string, done func() (bool, error)) {
	t.Helper()
	if err := env.Await(ctx, what, done); err != nil {
		t.Fatal(err)
	}
}

// startEmulator runs an emulator in this process until the test ends.
func startEmulator(t testing.TB, cfg emulator.Config) *emulator.Emulator {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = shortDir(t)
	}
	e, stop, err := emulator.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	return e
}

// shortDir is a directory whose name leaves room for a socket in it: sun_path has 108 octets.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "stock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// start runs a program until the test ends; what it writes to standard error shows when the test fails.
func start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	said := &lockedBuffer{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends with the program
		defer close(done)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(env.StopTimeout):
			t.Errorf("%s did not end within %s", filepath.Base(cmd.Path), env.StopTimeout)
			cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), said.tail(32<<10))
		}
	})
}

// lockedBuffer is written by one goroutine and read by another.
type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string { return l.tail(1 << 30) }

func (l *lockedBuffer) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b.Bytes()
	return string(b[max(0, len(b)-n):])
}

// built are minato-emulator, and these tests once more for their agents: both as they are released, from the source that is tested. The
// race detector, which may be on in this process, would tell of other times and another memory.
var built programs

type programs struct {
	once sync.Once
	dir  string
	err  error
}

// emulator is the path of minato-emulator.
func (p *programs) emulator(t testing.TB) string { return p.path(t, "minato-emulator") }

// agents is the path of a binary of these tests, for agentsVariable.
func (p *programs) agents(t testing.TB) string { return p.path(t, "agents") }

func (p *programs) path(t testing.TB, name string) string {
	t.Helper()
	p.once.Do(func() { p.err = p.build() })
	need(t, p.err)
	return filepath.Join(p.dir, name)
}

func (p *programs) build() error {
	compiler, err := env.Tool("go", "golang")
	if err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp("", "stock-bin"); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"build", "-o", p.dir, "minato/emulator/cmd/minato-emulator"},
		{"test", "-c", "-o", filepath.Join(p.dir, "agents"), "minato/testbench/stock"},
	} {
		cmd := exec.Command(compiler, args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", args, err, out)
		}
	}
	return nil
}

func (p *programs) remove() {
	if p.dir != "" {
		os.RemoveAll(p.dir)
	}
}
