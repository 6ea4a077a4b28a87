package testbench_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/testbench"
	"minato/testbench/report"
)

func TestMain(m *testing.M) {
	if child, status := testbench.RunChild(context.Background()); child {
		os.Exit(status)
	}
	goleak.VerifyTestMain(m)
}

var scenarios = flag.String("scenario", "*", "names of the scenarios to run, with * and ? as in file names")

// TestScenarios runs the same list as minato-testbench run, in the same way.
func TestScenarios(t *testing.T) {
	tb, err := testbench.New(testbench.Config{Scenarios: []string{*scenarios}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	run, err := tb.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range run.Results {
		t.Run(result.Name, func(t *testing.T) {
			t.Logf("%s, seed %d", result.Duration.Round(time.Millisecond), run.Seed)
			for _, line := range result.Log {
				t.Logf("%8.3fs %-5s %s", line.At.Seconds(), line.Level, line.Text)
			}
			switch result.Status {
			case report.Fail:
				t.Fatal(result.Err)
			case report.Skip: // never under CI=true
				t.Skip(result.Err)
			}
		})
	}
}

// trigger is a writer that does something once it is written to.
type trigger func()

func (f trigger) Write(b []byte) (int, error) { f(); return len(b), nil }

// TestInterrupted: what the user's end of a run cut short is no failure, and what had not begun is told too.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		set       func(cfg *testbench.Config, end trigger)
		scenarios []string
	}{
		{"at the first line of a log", func(cfg *testbench.Config, end trigger) { cfg.Logger = slog.New(slog.NewTextHandler(end, nil)) },
			[]string{"link-up", "ssh-passthrough@kernel", "modbus-tls@kernel"}},
		{"in a child", func(cfg *testbench.Config, end trigger) { cfg.Progress = end }, []string{"three-programs", "link-up"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cfg := testbench.Config{Scenarios: tt.scenarios, Dir: t.TempDir(), Parallel: 1}
			tt.set(&cfg, trigger(cancel))
			tb, err := testbench.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			run, err := tb.Run(ctx)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if len(run.Results) != len(tt.scenarios) {
				t.Errorf("%d results of %d scenarios", len(run.Results), len(tt.scenarios))
			}
			for _, r := range run.Results {
				if r.Status != report.Skip || r.Err != report.Interrupted || r.Hint != "" || r.Doc == "" {
					t.Errorf("%s: %s %q, hint %q", r.Name, r.Status, r.Err, r.Hint)
				}
			}
		})
	}
}
