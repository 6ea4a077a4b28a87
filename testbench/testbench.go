// Package testbench runs the scenarios against the whole system and reports on them.
package testbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"path/filepath"
	"time"

	"minato/testbench/env"
	"minato/testbench/report"
	"minato/testbench/scenario"
)

// Config of a run. The zero value runs every scenario and keeps nothing but the result.
type Config struct {
	Scenarios string       // glob on the names; "": all
	Dir       string       // captures and logs, one folder a scenario; required
	Progress  io.Writer    // the table, row by row; nil: none
	Logger    *slog.Logger // also gets the scenarios' own logs; nil: silent
	Programs  bool         // emulator, relay and agent as separate programs
}

// Testbench is one run. Make it with New, call Run once.
type Testbench struct {
	cfg  Config
	jobs []Job
}

// Job is one scenario on one internet side.
type Job struct {
	scenario.Scenario
	Net env.Net
}

// Title is the scenario's name, with the internet side where there is more than one.
func (j Job) Title() string {
	if len(j.On) == 1 {
		return j.Name
	}
	return j.Name + "@" + string(j.Net)
}

// Jobs are the scenarios that match a glob, in order.
func Jobs(glob string) ([]Job, error) {
	if glob == "" {
		glob = "*"
	}
	var jobs []Job
	for _, s := range scenario.All {
		for _, n := range s.On {
			j := Job{s, n}
			byName, err := path.Match(glob, s.Name)
			if err != nil {
				return nil, fmt.Errorf("scenario %q: %w; use * and ? as in file names", glob, err)
			}
			if byTitle, _ := path.Match(glob, j.Title()); byName || byTitle {
				jobs = append(jobs, j)
			}
		}
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("scenario %q: no scenario has that name; see the list of names (list)", glob)
	}
	return jobs, nil
}

// New checks the configuration.
func New(cfg Config) (*Testbench, error) {
	if cfg.Dir == "" {
		return nil, errors.New("testbench: a directory for captures and logs is needed")
	}
	jobs, err := Jobs(cfg.Scenarios)
	if err != nil {
		return nil, err
	}
	return &Testbench{cfg: cfg, jobs: jobs}, nil
}

// Run runs the scenarios one after the other. The error is for what kept it from running them; a failed scenario is a result.
func (t *Testbench) Run(ctx context.Context) (report.Run, error) {
	run := report.Run{Started: time.Now(), Machine: machine()}
	var rows *report.Terminal
	if t.cfg.Progress != nil {
		names := make([]string, len(t.jobs))
		for i, j := range t.jobs {
			names[i] = j.Title()
		}
		rows = report.NewTerminal(t.cfg.Progress, names)
	}
	for _, j := range t.jobs {
		if ctx.Err() != nil {
			break
		}
		if rows != nil {
			rows.Begin(j.Title())
		}
		result := t.runJob(ctx, j)
		run.Results = append(run.Results, result)
		if rows != nil {
			rows.Done(result)
		}
	}
	run.Duration = time.Since(run.Started)
	if rows != nil {
		rows.Close(run)
	}
	return run, context.Cause(ctx)
}

// runJob runs one scenario, in this process or in a child that has a network namespace.
func (t *Testbench) runJob(ctx context.Context, j Job) report.Result {
	dir := filepath.Join(t.cfg.Dir, j.Title())
	if j.Net == env.Namespace {
		return RunInNamespace(ctx, j, dir)
	}
	return RunJob(ctx, j, dir, t.cfg.Logger, t.cfg.Programs)
}
