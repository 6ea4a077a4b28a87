// Command minato-relay runs one relay node and manages its keys.
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
	LogLevel  string           `help:"Least level that is logged to standard error: debug, info, warn, error. Wins over the configuration." enum:",debug,info,warn,error" default:"" placeholder:"LEVEL"`
	LogFormat string           `help:"How: text or json. Wins over the configuration." enum:",text,json" default:"" placeholder:"FORMAT"`
	Version   kong.VersionFlag `help:"Print what was built, and end."`

	Run    runCommand `cmd:"" help:"Serve until a signal ends it."`
	Config struct {
		Check checkCommand `cmd:"" help:"Say what is wrong with a configuration, or nothing."`
	} `cmd:"" help:"Work with configurations."`
	Key struct {
		Create createCommand `cmd:"" help:"Make a key, of role admin unless --role says otherwise, and print it; its secret is not shown again."`
		List   listCommand   `cmd:"" help:"List the keys: id, role, when it was made, name, and --sim and --tag where it does not see all SIMs."`
		Revoke revokeCommand `cmd:"" help:"Remove a key; tokens made with it end at once."`
	} `cmd:"" help:"Manage authentication keys, while the relay is stopped."`
	Backup  backupCommand  `cmd:"" help:"Save mappings, keys, secrets and logs to a file, while the relay is stopped."`
	Restore restoreCommand `cmd:"" help:"Fill an empty state folder from a backup."`
}

const examples = `Give device ports temporary public addresses, with Napter's API.

Examples:
  minato-relay config check relay.yaml
  minato-relay run -c relay.yaml                 the first start prints the admin key
  minato-relay key create -c relay.yaml --name ci --role operator --tag site=osaka
  minato-relay key revoke -c relay.yaml keyId-...
  minato-relay backup -c relay.yaml relay.backup
  minato-relay restore -c new-relay.yaml relay.backup

Exit status: 0 done, 1 failed, 2 bad usage or configuration, 3 something could not be reached or opened, 4 not allowed.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// streams is where results and everything else go.
type streams struct{ out, err io.Writer }

// execute parses the command line, does what it says, and gives the exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var p program
	ended := -1 // by --help or --version, with this status
	parser := kong.Must(&p,
		kong.Name("minato-relay"), kong.Description(examples), kong.Writers(stdout, stderr),
		kong.Vars{"version": version()}, kong.Exit(func(status int) { ended = status }),
		kong.BindTo(ctx, (*context.Context)(nil)))
	k, err := parser.Parse(args)
	if ended >= 0 {
		return ended
	}
	if err != nil {
		err = &exitError{status: exitUsage, err: err, hint: usageHint(err)}
	} else {
		err = k.Run(&p, streams{stdout, stderr})
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "minato-relay: error: %v\n", err)
	status := exitFailed
	var e *exitError
	if errors.As(err, &e) {
		status = e.status
		if status == exitUnreachable && errors.Is(err, fs.ErrPermission) {
			status = exitDenied
		}
		if e.hint != "" {
			fmt.Fprintf(stderr, "minato-relay: hint: %s\n", e.hint)
		}
	}
	return status
}

// logger logs as the configuration says, except where flags say otherwise.
func (p *program) logger(w io.Writer, c config) *slog.Logger {
	level, format := c.logLevel, c.logFormat
	if p.LogLevel != "" {
		level.UnmarshalText([]byte(p.LogLevel)) // kong has checked it
	}
	if p.LogFormat != "" {
		format = p.LogFormat
	}
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// usageHint names the help of the command that was meant.
func usageHint(err error) string {
	command := "minato-relay"
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
