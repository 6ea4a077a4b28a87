package testbench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"minato/testbench/env"
	"minato/testbench/report"
)

// childVariable carries the title of the scenario that a child process in a network namespace is to run, its seed, its round and its directory.
const childVariable = "MINATO_NAMESPACE_SCENARIO"

// RunInNamespace runs one scenario in a child of this program that has a network namespace of its own. Its main or TestMain calls RunChild first.
func RunInNamespace(ctx context.Context, j Job, dir string) report.Result {
	started := time.Now()
	result := report.Result{Name: j.label(), Doc: j.Doc, Status: report.Fail}
	fail := func(err error) report.Result {
		result.Err, result.Duration = err.Error(), time.Since(started)
		return result
	}
	self, err := os.Executable()
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d %s", childVariable, j.Title(), j.Seed, j.Round, dir))
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = env.StopTimeout
	env.InNamespace(cmd)
	if err := cmd.Start(); err != nil {
		if errors.Is(err, syscall.EPERM) && os.Getenv("CI") != "true" {
			result.Status = report.Skip
			return fail(errors.New("this kernel lets users make no network namespace: run it as root, or set sysctl kernel.unprivileged_userns_clone=1"))
		}
		return fail(fmt.Errorf("starting a child in a network namespace: %w", err))
	}
	if err := cmd.Wait(); err != nil {
		return fail(fmt.Errorf("the child in a network namespace: %w\n%s", err, output.String()))
	}
	b, err := os.ReadFile(filepath.Join(dir, resultFile))
	if err == nil {
		err = json.Unmarshal(b, &result)
	}
	if err != nil {
		return fail(fmt.Errorf("reading the result of the child in a network namespace: %w\n%s", err, output.String()))
	}
	return result
}

const resultFile = "result.json"

// RunChild does a child's work and tells whether this process is one; the caller then exits with the status.
func RunChild(ctx context.Context) (child bool, status int) {
	words := strings.SplitN(os.Getenv(childVariable), " ", 4)
	if len(words) != 4 {
		return false, 0
	}
	title, dir := words[0], words[3]
	os.Unsetenv(childVariable) // not for the programs that the scenario starts
	jobs, err := Jobs(title)
	if err != nil || len(jobs) != 1 {
		fmt.Fprintf(os.Stderr, "scenario %q: %d found, %v\n", title, len(jobs), err)
		return true, 2
	}
	if jobs[0].Seed, err = strconv.ParseUint(words[1], 10, 64); err == nil {
		jobs[0].Round, err = strconv.Atoi(words[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return true, 2
	}
	b, err := json.Marshal(RunJob(ctx, jobs[0], dir, nil, false))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, resultFile), b, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return true, 3
	}
	return true, 0
}
