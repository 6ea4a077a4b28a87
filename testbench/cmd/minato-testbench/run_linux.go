package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"minato/testbench"
	"minato/testbench/report"
)

type runCommand struct {
	Scenario []string `help:"Names to run, with * and ? as in file names; default: all." placeholder:"GLOB,..."`
	Out      string   `help:"Directory for the report, the captures and the logs." default:"out/report" placeholder:"DIR"`
	Format   []string `help:"Reports: table on standard output; json, junit and html as files in --out." enum:"table,json,junit,html" default:"table"`
	Parallel int      `help:"Scenarios at a time; default: twice as many as processors." placeholder:"N"`
	Repeat   int      `help:"How often each runs." default:"1"`
	Seed     uint64   `help:"Of what scenarios leave to chance, such as the data that they move; default: another one each time, which the report names." placeholder:"N"`
	Programs bool     `help:"Run emulator, relay and agent as separate programs, from bin/, where the scenario can."`
}

func (c runCommand) Run(ctx context.Context, log *slog.Logger) error {
	cfg := testbench.Config{Scenarios: c.Scenario, Dir: c.Out, Programs: c.Programs, Parallel: c.Parallel, Repeat: c.Repeat, Seed: c.Seed}
	if log.Enabled(ctx, slog.LevelInfo) { // otherwise the refusals that scenarios provoke would stand between the rows; the report has each log
		cfg.Logger = log
	}
	if slices.Contains(c.Format, "table") {
		cfg.Progress = os.Stdout
	}
	t, err := testbench.New(cfg)
	if err != nil {
		return &exitError{status: exitUsage, err: err}
	}
	result, runErr := t.Run(ctx)
	result.Version = version()
	if err := c.write(result); err != nil {
		return &exitError{status: exitUnreachable, err: err}
	}
	if runErr != nil {
		return &exitError{status: exitFailed, err: fmt.Errorf("interrupted; what had not ended is skipped: %w", runErr)}
	}
	if n := result.Counts(); n.Fail > 0 {
		return &exitError{status: exitFailed, err: fmt.Errorf("%d of %d scenarios failed", n.Fail, n.Total())}
	}
	return nil
}

// write makes the files that were asked for.
func (c runCommand) write(run report.Run) error {
	files := map[string]struct {
		name  string
		write func(io.Writer, report.Run) error
	}{
		"json":  {"report.json", report.WriteJSON},
		"junit": {"junit.xml", report.WriteJUnit},
		"html":  {"index.html", report.WriteHTML},
	}
	for _, format := range c.Format {
		file, ok := files[format]
		if !ok {
			continue // the table is on standard output
		}
		var b bytes.Buffer
		if err := file.write(&b, run); err != nil {
			return fmt.Errorf("making the %s report: %w", format, err)
		}
		path := filepath.Join(c.Out, file.name)
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("writing the %s report: %w", format, err)
		}
		fmt.Fprintf(os.Stderr, "minato-testbench: wrote %s\n", path)
	}
	return nil
}

type listCommand struct {
	Scenario []string `arg:"" optional:"" help:"Names to list, with * and ? as in file names; default: all." placeholder:"GLOB"`
}

func (c listCommand) Run() error {
	jobs, err := testbench.Jobs(c.Scenario...)
	if err != nil {
		return &exitError{status: exitUsage, err: err}
	}
	for _, j := range jobs {
		fmt.Printf("%-28s %s\n", j.Title(), j.Doc)
	}
	return nil
}

type upCommand struct {
	Dir string `help:"Directory of the parts' state, ports and logs; default: ${default}." default:"out/up" placeholder:"DIR"`
}

func (c upCommand) Run(ctx context.Context, log *slog.Logger) error {
	err := testbench.Up(ctx, c.Dir, os.Stdout, log)
	switch {
	case errors.Is(err, testbench.ErrUp):
		return &exitError{status: exitUnreachable, err: err, hint: "use the one that runs, or end it with Ctrl-C in its terminal"}
	case errors.Is(err, syscall.EADDRINUSE):
		return &exitError{status: exitUnreachable, err: err, hint: "another program has this address, perhaps an `up` with another --dir: ss -ltnp shows which; end it first"}
	case errors.Is(err, fs.ErrPermission):
		return &exitError{status: exitNotAllowed, err: err, hint: "name a directory of your own with --dir"}
	case err != nil:
		return &exitError{status: exitUnreachable, err: err}
	}
	return nil
}

// runChild does the work of a child in a network namespace, if this process is one.
func runChild() (child bool, status int) {
	ctx, stop := untilEnded()
	defer stop()
	return testbench.RunChild(ctx)
}
