// Command minato-testbench proves the path from a modem to a client, and carries clients that know no TLS to a relay.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"minato/testbench/access"
)

// Exit statuses, the same for all of Minato's programs.
const (
	exitFailed      = 1 // a scenario or check failed
	exitUsage       = 2 // bad usage or configuration
	exitUnreachable = 3
	exitNotAllowed  = 4
)

// exitError is an error with the exit status that tells its class.
type exitError struct {
	status int
	hint   string
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

type logging struct {
	LogLevel  slog.Level `help:"Least level that is logged to standard error: debug, info, warn, error." default:"warn"`
	LogFormat string     `help:"How: ${enum}." enum:"text,json" default:"text"`
}

func (l logging) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.LogLevel}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

var commands struct {
	logging
	Version kong.VersionFlag `help:"Print what was built, and end."`
	Run     runCommand       `cmd:"" help:"Run scenarios and report on them."`
	List    listCommand      `cmd:"" help:"List the scenarios: name and what it proves."`
	Check   checkCommand     `cmd:"" help:"Check a live relay and a live device, beside it in the field: what works, what does not, and what to do."`
	Connect connectCommand   `cmd:"" help:"Reach one service of a device: mapping, tunnel, viewer; the mapping is removed at the end."`
	Up      upCommand        `cmd:"" help:"Build the whole path on this machine, print how to reach it, and leave it running."`
	Tunnel  tunnelCommand    `cmd:"" help:"Carry plaintext clients over TLS to a relay, as stunnel does in client mode."`
	Bench   benchCommand     `cmd:"" help:"Measure the relay beside haproxy, nginx and stunnel, as ratios."`
}

const examples = `Prove the path from an LTE modem to a client, and reach devices through a relay.

Examples:
  minato-testbench run                                    every scenario, a table, exit status 1 if one failed
  minato-testbench run --scenario 'vnc-*' --out out/report --format table,html
  minato-testbench check --relay https://relay.example:8080 --key-file relay.key --ca ca.pem --sim 8981...
  minato-testbench connect --relay https://relay.example:8080 --key-file relay.key --ca ca.pem --sim 8981... --service vnc --viewer auto
  minato-testbench up                                     leave the system running, print how to reach it
  minato-testbench tunnel --accept 127.0.0.1:5999 --connect 127-0-0-1.relay.example:23456 --ca ca.pem
  minato-testbench tunnel -c stunnel.conf                 the services of an existing stunnel.conf
  minato-testbench bench --json bench.json --chart bench.svg

Exit status: 0 done, 1 a scenario or check failed, 2 bad usage or configuration,
3 something could not be reached, 4 not allowed.`

func main() {
	if child, status := runChild(); child {
		os.Exit(status)
	}
	ctx, stop := untilEnded()
	status := run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// untilEnded is a context that ends with Ctrl-C, SIGTERM, and the loss of the terminal, unless the program is to outlive that one (nohup).
func untilEnded() (context.Context, context.CancelFunc) {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	return signal.NotifyContext(context.Background(), ends...)
}

// run parses the command line, does what it says, and gives the exit status.
func run(ctx context.Context, args []string) int {
	parser := kong.Must(&commands, kong.Name("minato-testbench"), kong.Description(examples), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Vars{"version": version(), "agent_socket": agentSocket, "measures": measureNames()})
	k, err := parser.Parse(args)
	if err != nil {
		err = &exitError{status: exitUsage, hint: usageHint(err), err: err}
	} else {
		err = k.Run(commands.logger(os.Stderr))
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "minato-testbench: error: %v\n", err)
	exit := &exitError{status: exitUnreachable}
	if errors.As(err, &exit) && exit.hint != "" {
		fmt.Fprintf(os.Stderr, "minato-testbench: hint: %s\n", exit.hint)
	}
	if isNotAllowed(err) {
		return exitNotAllowed
	}
	return exit.status
}

// isNotAllowed tells what this user may not, such as to read a file. What the network does not let pass has its own class: see statusOf.
func isNotAllowed(err error) bool {
	var problem *access.Problem
	return errors.Is(err, fs.ErrPermission) && !errors.As(err, &problem)
}

// usageHint names the help of the command that was meant.
func usageHint(err error) string {
	command := "minato-testbench"
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
