// Package testbench runs the scenarios against the whole system and reports on them.
package testbench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"minato/testbench/env"
	"minato/testbench/report"
	"minato/testbench/scenario"
)

// Config of a run. The zero value runs every scenario and keeps nothing but the result.
type Config struct {
	Scenarios []string     // globs on the names; nil: all
	Dir       string       // captures and logs, one folder a scenario; required
	Progress  io.Writer    // the table, row by row; nil: none
	Logger    *slog.Logger // also gets the scenarios' own logs; nil: silent
	Programs  bool         // emulator, relay and agent as separate programs
	Parallel  int          // scenarios at a time; 0: twice as many as processors, since a scenario waits most of its time
	Repeat    int          // how often each runs; 0: once
	Seed      uint64       // of what scenarios leave to chance; 0: another one each time, which a report names
}

// Testbench is one run. Make it with New, call Run once.
type Testbench struct {
	cfg  Config
	jobs []Job
}

// Job is one scenario on one internet side.
type Job struct {
	scenario.Scenario
	Net   env.Net
	Seed  uint64
	Round int // from 1 where it runs more than once; 0: it does not
}

// Title is the scenario's name, with the internet side where there is more than one.
func (j Job) Title() string {
	if len(j.On) == 1 {
		return j.Name
	}
	return j.Name + "@" + string(j.Net)
}

// label is the title, with the round where there are several.
func (j Job) label() string {
	if j.Round == 0 {
		return j.Title()
	}
	return fmt.Sprintf("%s#%d", j.Title(), j.Round)
}

// Jobs are the scenarios that match one of the globs, in order; no glob matches all.
func Jobs(globs ...string) ([]Job, error) {
	matched := make([]bool, len(globs))
	var jobs []Job
	for _, s := range scenario.All {
		for _, n := range s.On {
			j := Job{Scenario: s, Net: n}
			wanted := len(globs) == 0
			for i, glob := range globs {
				byName, err := path.Match(glob, s.Name)
				if err != nil {
					return nil, fmt.Errorf("scenario %q: %w; use * and ? as in file names", glob, err)
				}
				if byTitle, _ := path.Match(glob, j.Title()); byName || byTitle {
					wanted, matched[i] = true, true
				}
			}
			if wanted {
				jobs = append(jobs, j)
			}
		}
	}
	if i := slices.Index(matched, false); i >= 0 {
		return nil, fmt.Errorf("scenario %q: no scenario has that name; see the list of names (list)", globs[i])
	}
	return jobs, nil
}

// New checks the configuration.
func New(cfg Config) (*Testbench, error) {
	if cfg.Dir == "" {
		return nil, errors.New("testbench: a directory for captures and logs is needed")
	}
	if cfg.Parallel < 0 || cfg.Repeat < 0 {
		return nil, fmt.Errorf("parallel %d, repeat %d: neither may be negative", cfg.Parallel, cfg.Repeat)
	}
	found, err := Jobs(cfg.Scenarios...)
	if err != nil {
		return nil, err
	}
	if cfg.Parallel == 0 {
		cfg.Parallel = 2 * runtime.NumCPU()
	}
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64N(1<<32) + 1 // short enough to type
	}
	t := &Testbench{cfg: cfg}
	for round := range max(cfg.Repeat, 1) {
		for _, j := range found {
			j.Seed = cfg.Seed + uint64(round)
			if cfg.Repeat > 1 {
				j.Round = round + 1
			}
			t.jobs = append(t.jobs, j)
		}
	}
	return t, nil
}

// Run runs the scenarios, several at a time; results are in the order of the list. The error is for what kept it from running them; a failed scenario is
// a result. What ctx ended, or kept from beginning, is skipped.
func (t *Testbench) Run(ctx context.Context) (report.Run, error) {
	run := report.Run{Started: time.Now(), Machine: Machine(), Seed: t.cfg.Seed}
	var rows *report.Terminal
	if t.cfg.Progress != nil {
		names := make([]string, len(t.jobs))
		for i, j := range t.jobs {
			names[i] = j.label()
		}
		rows = report.NewTerminal(t.cfg.Progress, names)
	}
	results := make([]*report.Result, len(t.jobs))
	var group errgroup.Group // its goroutines end with their scenarios, which end with ctx
	group.SetLimit(t.cfg.Parallel)
	for _, i := range t.order() {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			j := t.jobs[i]
			if rows != nil {
				rows.Begin(j.label())
			}
			result := t.runJob(ctx, j)
			results[i] = &result
			if rows != nil {
				rows.Done(result)
			}
			return nil
		})
	}
	group.Wait()
	for i, result := range results {
		if result == nil {
			result = &report.Result{Name: t.jobs[i].label(), Doc: t.jobs[i].Doc, Status: report.Skip, Err: report.Interrupted}
		}
		run.Results = append(run.Results, *result)
	}
	run.Duration = time.Since(run.Started)
	if rows != nil {
		rows.Close(run)
	}
	return run, context.Cause(ctx)
}

// order starts what may take longest first, so that it does not run alone at the end.
func (t *Testbench) order() []int {
	order := make([]int, len(t.jobs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.jobs[b].Timeout, t.jobs[a].Timeout) })
	return order
}

// runJob runs one scenario, in this process or in a child that has a network namespace.
func (t *Testbench) runJob(ctx context.Context, j Job) (r report.Result) {
	dir := filepath.Join(t.cfg.Dir, j.label())
	if j.Net == env.Namespace {
		r = RunInNamespace(ctx, j, dir)
	} else {
		r = RunJob(ctx, j, dir, t.cfg.Logger, t.cfg.Programs)
	}
	if r.Status == report.Fail && ctx.Err() != nil { // its steps failed since ctx ended: that says nothing of what it proves
		r.Status, r.Err, r.Hint = report.Skip, report.Interrupted, ""
	}
	return r
}
