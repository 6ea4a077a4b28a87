// Minato-targets serves a device's sample services on this machine: a plant's page, its registers, its panel and a shell.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"minato/targets/plc"
)

const description = `The sample services of a device, around one simulated plant.

Examples:
  minato-targets run
  minato-targets run --vnc-password-file vnc.password --ssh-authorized-keys ~/.ssh/authorized_keys
  minato-targets run --modbus 0.0.0.0:1502 --vnc off --ssh off
  minato-targets registers

Exit status: 0 done, 1 failed, 2 bad usage or configuration, 3 an address could not be had, 4 not allowed.`

// program is the command line.
type program struct {
	LogLevel  slog.Level       `help:"Least level that is logged: debug, info, warn or error." default:"info" placeholder:"LEVEL"`
	LogFormat string           `help:"text or json." enum:"text,json" default:"text"`
	Version   kong.VersionFlag `help:"Print what was built, and end."`

	Run       runCommand       `cmd:"" help:"Serve until interrupted."`
	Registers registersCommand `cmd:"" help:"Print the Modbus register map."`
}

// streams is where results and everything else go.
type streams struct{ out, err io.Writer }

func (p *program) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: p.LogLevel}
	if p.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// Exit statuses.
const (
	exitFailed     = 1
	exitUsage      = 2
	exitUnreached  = 3
	exitNotAllowed = 4
)

// exitError is an error with its exit status, and a cure where there is one.
type exitError struct {
	status int
	err    error
	hint   string
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

type registersCommand struct{}

func (registersCommand) Run(s streams) error { return plc.WriteRegisterMap(s.out) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := execute(ctx, os.Args[1:], streams{os.Stdout, os.Stderr})
	stop()
	os.Exit(status)
}

// execute does what the command line says, and gives the exit status.
func execute(ctx context.Context, args []string, s streams) int {
	var p program
	ended := -1 // by --help or --version, with this status
	parser := kong.Must(&p,
		kong.Name("minato-targets"), kong.Description(description), kong.Writers(s.out, s.err),
		kong.Vars{"version": version()}, kong.Exit(func(status int) { ended = status }), kong.BindTo(ctx, (*context.Context)(nil)))
	k, err := parser.Parse(args)
	if ended >= 0 {
		return ended
	}
	if err != nil {
		err = &exitError{exitUsage, err, usageHint(err)}
	} else {
		err = k.Run(&p, s)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(s.err, "minato-targets: error: %v\n", err)
	status := exitFailed
	var e *exitError
	if errors.As(err, &e) {
		status = e.status
		if e.hint != "" {
			fmt.Fprintf(s.err, "minato-targets: hint: %s\n", e.hint)
		}
	}
	return status
}

// usageHint names the help of the command that was meant.
func usageHint(err error) string {
	command := "minato-targets"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		command = parse.Context.Selected().FullPath()
	}
	return "see " + command + " --help"
}

// version is what Go noted of the build: a tag, or a commit and its time.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
