package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"minato/testbench"
	"minato/testbench/bench"
)

type benchCommand struct {
	JSON    string   `help:"File for everything that was measured, as JSON." placeholder:"FILE"`
	Chart   string   `help:"File for a chart, as SVG." placeholder:"FILE"`
	Rounds  int      `help:"Rounds in which the peers take turns; the figures are medians of them." default:"5"`
	Measure []string `help:"Measure these only: ${measures}." placeholder:"NAME"`
	Bin     string   `help:"Folder of minato-relay; default: that of this program." placeholder:"DIR"`
}

func (c benchCommand) Run(ctx context.Context) error {
	own, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "minato-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	result, err := bench.Run(ctx, bench.Config{
		Bin: cmp.Or(c.Bin, filepath.Dir(own)), Dir: dir, Rounds: c.Rounds, Only: c.Measure, Progress: os.Stderr,
	})
	if err != nil {
		return &exitError{status: exitUsage, err: err}
	}
	result.Machine = testbench.Machine()
	if err := bench.WriteTable(os.Stdout, result); err != nil {
		return err
	}
	for _, file := range []struct {
		path  string
		write func(io.Writer, bench.Result) error
	}{{c.JSON, bench.WriteJSON}, {c.Chart, bench.WriteChart}} {
		if err := writeResult(file.path, result, file.write); err != nil {
			return &exitError{status: exitUsage, err: err}
		}
	}
	return nil
}

// writeResult writes one file; none where there is no path.
func writeResult(path string, r bench.Result, write func(io.Writer, bench.Result) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f, r); err != nil {
		f.Close()
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return f.Close()
}

func measureNames() string { return strings.Join(bench.Measures(), ", ") }
