package testbench_test

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"

	"minato/testbench"
	"minato/testbench/env"
	"minato/testbench/report"
)

func TestMain(m *testing.M) {
	if child, status := testbench.RunChild(context.Background()); child {
		os.Exit(status)
	}
	goleak.VerifyTestMain(m)
}

// TestScenarios runs the same list as minato-testbench run.
func TestScenarios(t *testing.T) {
	jobs, err := testbench.Jobs("")
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		t.Run(j.Title(), func(t *testing.T) {
			run := func(ctx context.Context, dir string) report.Result {
				if j.Net == env.Namespace {
					return testbench.RunInNamespace(ctx, j, dir)
				}
				return testbench.RunJob(ctx, j, dir, nil, false)
			}
			result := run(t.Context(), t.TempDir())
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
