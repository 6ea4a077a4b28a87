package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/testbench/env"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds all stories together on a machine that is busy with other tests; an idle one takes a fifth of it.
const patience = 8 * time.Minute

// outcome is a line that the stories print: how one went.
type outcome struct {
	Story string  `json:"story"`
	OK    bool    `json:"ok"`
	MS    float64 `json:"ms"`
	Error string  `json:"error"`
	Note  string  `json:"note"` // figures
}

// TestConsole runs every story of relay/console/test, one after the other in one browser.
func TestConsole(t *testing.T) {
	root, err := env.Root()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, "relay", "console")
	for _, made := range []string{"dist/index.html", "node_modules/playwright-core/package.json"} {
		if _, err := os.Stat(filepath.Join(folder, made)); err != nil {
			need(t, &env.MissingError{Program: filepath.Join(folder, made), Cure: "make console"})
		}
	}
	node, err := env.Tool("node", "nodejs")
	need(t, err)
	chromium, err := env.Tool("chromium", "chromium")
	need(t, err)
	ssh, err := env.Tool("ssh", "openssh-client")
	need(t, err)

	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("not within %s", patience))
	defer cancel()
	locked := env.Service{Name: "locked-screen", Port: 5901, Addr: lockedScreen(t)}
	e, err := env.Start(ctx, env.Config{Dir: t.TempDir(), Services: []env.Service{locked}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	id, secret := e.Key()
	world := newWorld(t, e)
	setting, err := json.Marshal(map[string]string{
		"url": "http://" + e.Address.API, "world": world.URL, "keyId": id, "key": secret, "sim": e.SIM().ID,
		"sshUser": env.SSHUser, "sshKey": e.SSHKey.File, "ssh": ssh, "vncPassword": vncPassword, "chromium": chromium, "out": filepath.Join(root, "out", "console"),
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, node, filepath.Join(folder, "test", "run.mjs"))
	cmd.Env = append(os.Environ(), "CONSOLE_TEST="+string(setting))
	cmd.Stderr = t.Output()
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stories := 0
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o outcome
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Errorf("the stories printed %q", lines.Text())
			continue
		}
		stories++
		t.Run(o.Story, func(t *testing.T) {
			t.Logf("%.1f s %s", o.MS/1000, o.Note)
			if !o.OK {
				t.Error(o.Error)
			}
		})
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v (%v)", err, context.Cause(ctx))
	}
	if stories == 0 {
		t.Error("no story was told")
	}
}

// need fails the test where everything has to be installed, and skips it elsewhere.
func need(t *testing.T, err error) {
	t.Helper()
	var missing *env.MissingError
	switch {
	case errors.As(err, &missing) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}
