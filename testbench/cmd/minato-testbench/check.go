package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"minato/testbench/access"
	"minato/testbench/field"
	"minato/testbench/report"
)

type checkCommand struct {
	relayFlags
	Service []string      `help:"What the device serves: vnc, modbus, http, https, ssh, rdp; NAME=PORT for another port of the device." default:"vnc,modbus,http,ssh" placeholder:"NAME,..."`
	Source  []string      `help:"Ranges that may connect, as a mapping would have them; default: this computer's address." placeholder:"CIDR,..."`
	Agent   string        `help:"Status socket of the agent, where this runs on the device itself; default: ${agent_socket} when it is there." placeholder:"SOCKET"`
	Timeout time.Duration `help:"How long one answer of the device may take." default:"40s"`
	Late    time.Duration `help:"How much longer than the median an answer may take before the line counts it as lost; up to twice the median none is." default:"200ms"`
	Out     string        `help:"Directory for index.html and report.json; none when empty." default:"out/check" placeholder:"DIR"`
	JSON    bool          `name:"json" help:"Print the report as JSON instead of the screen."`
}

func (c checkCommand) Run(ctx context.Context, _ *slog.Logger) error {
	services, err := field.ParseServices(c.Service)
	if err == nil {
		err = checkSources(c.Source)
	}
	if err == nil && c.Late <= 0 {
		err = fmt.Errorf("--late %v: must be more than 0", c.Late)
	}
	if err != nil {
		return &exitError{status: exitUsage, err: err, hint: "minato-testbench check --help shows the options"}
	}
	relay, err := c.open()
	if err != nil {
		return err
	}
	defer relay.Close()
	cfg := field.Config{Relay: relay, SIM: c.SIM, Services: services, Sources: c.Source, Patience: c.Timeout, Late: c.Late}
	if cfg.Doctor, err = doctor(c.Agent); err != nil {
		return err
	}
	screen := io.Writer(os.Stdout)
	if c.JSON {
		screen = io.Discard
	}
	cfg.Progress = func(r report.Result) { field.WriteRow(screen, r) }
	check, err := field.New(cfg)
	if err != nil {
		return &exitError{status: exitUsage, err: err}
	}
	fmt.Fprintf(screen, "Field check of SIM %s through %s, %s\n\n", c.SIM, relay.URL, time.Now().Format("2006-01-02 15:04:05 MST"))
	run, runErr := check.Run(ctx)
	run.Version = version()
	field.WriteSummary(screen, run)
	if c.JSON {
		if err := report.WriteJSON(os.Stdout, run); err != nil {
			return err
		}
	}
	if err := c.write(run); err != nil {
		return &exitError{status: exitUsage, err: err, hint: "name another directory with --out"}
	}
	if runErr != nil {
		if ctx.Err() != nil && errors.Is(runErr, context.Canceled) {
			runErr = errors.New("interrupted; what it made is removed")
		}
		return &exitError{status: exitFailed, err: runErr}
	}
	return verdict(run)
}

// write leaves the report for head office.
func (c checkCommand) write(run report.Run) error {
	if c.Out == "" {
		return nil
	}
	if err := report.WriteFile(c.Out, "index.html", run, report.WriteHTML); err != nil {
		return err
	}
	if err := report.WriteFile(c.Out, "report.json", run, report.WriteJSON); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "minato-testbench: wrote %s\n", filepath.Join(c.Out, "index.html"))
	return nil
}

// verdict is the exit status: the class of the first that failed.
func verdict(run report.Run) error {
	failed, status := 0, 0
	for _, r := range run.Results {
		if r.Status != report.Fail {
			continue
		}
		if failed++; failed == 1 {
			status = statusOf(&access.Problem{Code: r.Code})
		}
	}
	if failed == 0 {
		return nil
	}
	return &exitError{status: status, err: fmt.Errorf("%d of %d checks failed", failed, len(run.Results))}
}
