package testbench_test

import (
	"context"
	"flag"
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
			t.Logf("%s, %s", result.Duration.Round(time.Millisecond), run.Version)
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
