// Command minato-emulator runs emulated modems with a closed network behind them, and talks to one that runs.
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
)

// Exit statuses, the same for all of Minato's programs.
const (
	exitFailed      = 1
	exitUsage       = 2 // bad usage or configuration
	exitUnreachable = 3
	exitDenied      = 4 // the user may not
)

// exitError is an error with the exit status that tells its class, and its cure where there is one.
type exitError struct {
	status int
	hint   string
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// program is the command line.
type program struct {
	LogLevel  slog.Level       `help:"Least level that is logged to standard error: debug, info, warn, error." default:"info" placeholder:"LEVEL"`
	LogFormat string           `help:"How: text or json." enum:"text,json" default:"text" placeholder:"FORMAT"`
	Version   kong.VersionFlag `help:"Print what was built, and end."`

	Run   runCommand `cmd:"" help:"Run modems and network until a signal ends it."`
	Fault struct {
		List   faultList   `cmd:"" help:"List the faults that there are, and those that are active."`
		Inject faultInject `cmd:"" help:"Make a fault happen."`
		Clear  faultClear  `cmd:"" help:"End faults; all if none is named."`
	} `cmd:"" help:"Break an emulator that runs."`
	SIM struct {
		List  simList  `cmd:"" help:"List the network's SIMs."`
		Shape simShape `cmd:"" help:"Show or change a SIM's link: rate, latency, jitter, loss, or an LTE category."`
		SMS   simSMS   `cmd:"" name:"sms" help:"Send a short message to a SIM."`
		Sent  simSent  `cmd:"" help:"List the short messages that a SIM sent."`
	} `cmd:"" name:"sim" help:"Look at SIMs, shape their links, exchange short messages with them."`
	Modem struct {
		List   modemList   `cmd:"" help:"List the modems."`
		Show   modemShow   `cmd:"" help:"Show all of one modem."`
		Reset  modemReset  `cmd:"" help:"Switch a modem off and on."`
		Signal modemSignal `cmd:"" help:"Set what a modem receives."`
		Lines  modemLines  `cmd:"" help:"Move a port's circuits DTR, DCD and RI, which a pseudo-terminal lacks."`
	} `cmd:"" help:"Look at modems, move what a pseudo-terminal cannot."`
	Events        eventsCommand        `cmd:"" help:"Print what happens, as it happens."`
	Personalities personalitiesCommand `cmd:"" help:"List the modems that can be emulated, and how much of each is known from where."`
}

const examples = `Emulate LTE modems on pseudo-terminals, with a closed network behind them. No privileges are needed.

Examples:
  minato-emulator run --dir /run/user/1000/modems      modem0/at, modem0/ppp and modem0/at.sock appear there
  minato-emulator run --modems 3 --pcap packets.pcapng --pcap-ppp frames.pcapng
  minato-emulator run --platform beam.soracom.io@100.127.127.100:8888/tcp=127.0.0.1:8888
  sudo minato-emulator run --tun minato0               then ping a modem's address, or curl it
  minato-emulator fault inject no-carrier
  minato-emulator fault inject silent-link --modem 1 lcp=true
  minato-emulator fault inject weak-signal --modem all --for 30s loss=40
  minato-emulator run --modems 2 --script faults.yaml --listen abstract:emu%d
  minato-emulator events --modem 0
  minato-emulator sim list --json
  minato-emulator sim shape 8981100000000000002 cat1,loss=1%
  minato-emulator sim sms 8981100000000000002 --from 0312345678 "open the valve"

Exit status: 0 done, 1 failed, 2 bad usage or configuration, 3 something could not be reached or opened, 4 not allowed.`

func main() {
	ctx, stop := untilEnded()
	status := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
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

// streams is where results and everything else go.
type streams struct{ out, err io.Writer }

// execute parses the command line, does what it says, and gives the exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var p program
	ended := -1 // by --help or --version, with this status
	parser := kong.Must(&p,
		kong.Name("minato-emulator"), kong.Description(examples), kong.Writers(stdout, stderr),
		kong.Vars{"version": version()}, kong.Exit(func(status int) { ended = status }),
		kong.BindTo(ctx, (*context.Context)(nil)))
	k, err := parser.Parse(args)
	if ended >= 0 {
		return ended
	}
	if err == nil {
		err = k.Run(p.logger(stderr), streams{stdout, stderr})
	} else {
		err = &exitError{exitUsage, usageHint(err), err}
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "minato-emulator: error: %v\n", err)
	var e *exitError
	if !errors.As(err, &e) {
		return exitFailed
	}
	if e.hint != "" {
		fmt.Fprintf(stderr, "minato-emulator: hint: %s\n", e.hint)
	}
	return e.status
}

func (p *program) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: p.LogLevel}
	if p.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// usageHint names the help of the command that was meant.
func usageHint(err error) string {
	command := "minato-emulator"
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
