// Command minato-agent brings a device with a cellular modem onto its closed network and serves the listed ports there.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"minato/agent/tty"
)

// Exit statuses, the same for all programs of the system.
const (
	exitCheck       = 1 // a check failed
	exitUsage       = 2 // bad usage or configuration
	exitUnreachable = 3
	exitPermission  = 4
)

type cli struct {
	LogLevel  string `help:"Least level that is logged: debug, info, warn or error. Over the configuration's." enum:"debug,info,warn,error," default:""`
	LogFormat string `help:"text or json. Over the configuration's." enum:"text,json," default:""`

	Run    runCmd    `cmd:"" help:"Keep the device online and serve its ports."`
	Status statusCmd `cmd:"" help:"Show what the running agent knows."`
	Doctor doctorCmd `cmd:"" help:"Look for what is wrong, step by step."`
	AT     atCmd     `cmd:"" name:"at" help:"Send one AT command to the modem."`
	Config struct {
		Check checkCmd `cmd:"" help:"Check a configuration file."`
	} `cmd:"" help:"Work with the configuration."`
	Modems modemsCmd `cmd:"" help:"List the serial ports of USB modems."`
}

const description = `Brings a cellular device onto its closed network and serves the listed ports there.

Examples:
  minato-agent modems                      which ports are there
  minato-agent at --port /dev/ttyUSB2 'AT+CSQ'
  minato-agent config check /etc/minato/agent.yaml
  minato-agent run -c /etc/minato/agent.yaml
  minato-agent status --json
  minato-agent doctor`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run parses the arguments, runs the command, and gives the exit status.
func run(ctx context.Context, args []string) int {
	var c cli
	p, err := kong.New(&c, kong.Name("minato-agent"), kong.Description(description), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&c))
	if err != nil {
		panic("minato-agent: " + err.Error())
	}
	k, err := p.Parse(args)
	if err != nil {
		return report(&usageError{err})
	}
	return report(k.Run())
}

// usageError is bad usage or configuration; checkError is a check that failed.
type (
	usageError struct{ error }
	checkError struct{ error }
)

func (e *usageError) Unwrap() error { return e.error }
func (e *checkError) Unwrap() error { return e.error }

// report prints an error, and what to do where that is known.
func report(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "minato-agent: error: %v\n", err)
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		fmt.Fprintf(os.Stderr, "minato-agent: hint: %s\n", hinted.Hint())
	}
	switch {
	case errors.As(err, new(*usageError)):
		return exitUsage
	case errors.As(err, new(*checkError)):
		return exitCheck
	case errors.Is(err, os.ErrPermission), errors.Is(err, tty.ErrPermission):
		return exitPermission
	}
	return exitUnreachable
}
