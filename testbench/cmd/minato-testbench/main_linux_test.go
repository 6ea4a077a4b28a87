package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minato/testbench/report"
)

// TestHangUp: the terminal's end is an end in order, except for a program that was told to ignore it.
func TestHangUp(t *testing.T) {
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP) // not ignored from now on, even where the test itself was started with nohup
	ctx, stop := untilEnded()
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	<-hangUps
	signal.Stop(hangUps)
	stop()

	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	_, stop = untilEnded()
	defer stop()
	if !signal.Ignored(syscall.SIGHUP) {
		t.Error("SIGHUP is heard, though it was ignored")
	}
}

// TestInterruptedRun: the end that the user asked for is told as one, in the exit status and in the report.
func TestInterruptedRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	err := runCommand{Scenario: []string{"link-up"}, Out: dir, Format: []string{"json"}, Seed: 4711}.Run(ctx, slog.New(slog.DiscardHandler))
	var exit *exitError
	if !errors.As(err, &exit) || exit.status != exitFailed || !strings.HasPrefix(err.Error(), "interrupted") {
		t.Errorf("error %v", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var run report.Run
	if err := json.Unmarshal(b, &run); err != nil {
		t.Fatal(err)
	}
	if len(run.Results) != 1 || run.Results[0].Status != report.Skip || run.Results[0].Err != report.Interrupted {
		t.Errorf("results %+v", run.Results)
	}
	if run.Version != version() || run.Seed != 4711 {
		t.Errorf("version %q, seed %d", run.Version, run.Seed)
	}
}
