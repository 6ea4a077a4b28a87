package testbench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"minato/testbench/env"
	"minato/testbench/report"
)

// defaultTimeout ends a scenario that hangs. It is far above what one needs on a machine that has much else to do.
const defaultTimeout = 3 * time.Minute

// RunJob runs one scenario in this process and keeps its captures in dir, which it empties first.
func RunJob(ctx context.Context, j Job, dir string, logger *slog.Logger, programs bool) report.Result {
	started := time.Now()
	result := report.Result{Name: j.label(), Doc: j.Doc, Status: report.Pass}
	log := newStoryLog(started, logger)
	var seen sights
	err := os.RemoveAll(dir) // what an earlier run left
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		seen, err = play(ctx, j, dir, slog.New(log), programs)
	}
	result.Duration = time.Since(started)
	result.Log = log.Lines()
	var missing *env.MissingError
	switch {
	case errors.As(err, &missing) && os.Getenv("CI") != "true":
		result.Status, result.Err, result.Hint = report.Skip, missing.Error(), missing.Cure
	case err != nil:
		result.Status, result.Err = report.Fail, err.Error()
		result.Hint = fmt.Sprintf("bin/minato-testbench run --scenario %q --seed %d --log-level debug", j.Title(), j.Seed)
	}
	if seen.timeline != nil {
		result.Timeline = seen.timeline(started)
	}
	return finish(result, dir, seen.mapping)
}

// sights are what a story leaves for its drawings.
type sights struct {
	mapping  netip.AddrPort // the public address of the first port mapping that it made
	timeline func(started time.Time) *report.Timeline
}

// play tells the story in an environment of its own.
func play(ctx context.Context, j Job, dir string, log *slog.Logger, programs bool) (seen sights, err error) {
	timeout := j.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the scenario took longer than %s", timeout))
	defer cancel()
	cfg := env.Config{Dir: dir, Net: j.Net, Logger: log, Programs: programs && j.Net == env.Kernel, Seed: j.Seed}
	if j.Setup != nil {
		j.Setup(&cfg)
	}
	e, err := env.Start(ctx, cfg)
	if err != nil {
		return seen, fmt.Errorf("building the path: %w", err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the scenario panicked: %v\n%s", p, debug.Stack())
		}
		err = errors.Join(err, e.Close())
		if err == nil {
			err = e.CheckCapture()
		}
		seen = sights{e.FirstMapping(), e.Timeline}
	}()
	ctx, stop := e.Context(ctx)
	defer stop()
	return seen, j.Run(ctx, e)
}

// finish adds what stands in the scenario's directory to the result. The ladder is of the first connection to the mapping.
func finish(r report.Result, dir string, mapping netip.AddrPort) report.Result {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return r
	}
	for _, entry := range entries {
		if kept[filepath.Ext(entry.Name())] {
			r.Artifacts = append(r.Artifacts, report.Artifact{Name: entry.Name(), Path: filepath.Base(dir) + "/" + entry.Name()})
		}
	}
	f, err := os.Open(filepath.Join(dir, "internet.pcapng"))
	if err != nil || !mapping.IsValid() {
		return r // nothing was captured, or there is nothing to show
	}
	defer f.Close()
	ladder, err := report.ParseLadder(f, report.LadderOptions{Server: mapping, Left: "client", Right: "relay"})
	if err == nil && len(ladder.Arrows) > 0 {
		r.Ladder = ladder
	}
	return r
}

// kept are the files that a report links to; private keys and state are none of them.
var kept = map[string]bool{".pcapng": true, ".png": true, ".log": true, ".conf": true}
