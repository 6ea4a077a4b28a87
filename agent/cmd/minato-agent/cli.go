package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"minato/agent"
)

// The command line is made with package flag, not with a library that calls methods by their names: the linker then keeps every
// exported method of every type, a quarter of this binary, which has to fit small devices.

const usage = `minato-agent brings a cellular device onto its closed network and serves the listed ports there.

Usage:
  minato-agent run -c FILE                 keep the device online
  minato-agent status [--json]             what the running agent knows
  minato-agent doctor [-c FILE] [--json]   look for what is wrong, step by step
  minato-agent at [--port TTY] [--record FILE] 'AT+CSQ'...
                                           send commands to the modem
  minato-agent config check FILE           check a configuration file
  minato-agent restore [-c FILE]           take back what an agent with link: tun that was killed left in the system
  minato-agent modems [--json]             list the serial ports of USB modems
  minato-agent --version                   print what was built

Every command takes --help, --log-level debug|info|warn|error and --log-format text|json.

Exit status: 0 done, 1 a check failed, 2 bad usage or configuration, 3 something could not be reached, 4 not allowed.

Examples:
  minato-agent modems
  minato-agent at --port /dev/ttyUSB2 'AT+CSQ'
  minato-agent config check /etc/minato/agent.yaml
  minato-agent at --port /dev/ttyUSB2 --record modem.txt ATI AT+CPIN? AT+CEREG?
  minato-agent run -c /etc/minato/agent.yaml --log-level debug
  minato-agent status --json
  minato-agent doctor
`

// A program is one invocation: its flags, as far as its command has them, and where it writes.
type program struct {
	out, errOut io.Writer
	log         agent.LogConfig // what the flags say; empty: as configured

	config  string
	socket  string
	port    string
	baud    int
	timeout string
	record  string
	json    bool

	transcript io.Writer // of at --record; nil: none
}

// A command is one word of the command line, or two.
type command struct {
	name  string
	args  string // the arguments that are no flags, one word each
	flags func(*program, *flag.FlagSet)
	run   func(*program, context.Context, []string) error
}

var commands = []command{
	{"run", "", func(p *program, f *flag.FlagSet) { p.configFlag(f, "") }, (*program).runAgent},
	{"status", "", func(p *program, f *flag.FlagSet) { p.socketFlag(f); p.jsonFlag(f) }, (*program).status},
	{"doctor", "", func(p *program, f *flag.FlagSet) { p.configFlag(f, defaultConfig); p.socketFlag(f); p.jsonFlag(f) }, (*program).doctor},
	{"at", "COMMAND...", (*program).atFlags, (*program).at},
	{"restore", "", func(p *program, f *flag.FlagSet) { p.configFlag(f, defaultConfig) }, (*program).restore},
	{"config check", "FILE", func(*program, *flag.FlagSet) {}, (*program).checkConfig},
	{"modems", "", (*program).jsonFlag, (*program).modems},
}

const (
	defaultConfig = "/etc/minato/agent.yaml"
	defaultSocket = "/run/minato/agent.sock"
)

func (p *program) configFlag(f *flag.FlagSet, d string) {
	f.StringVar(&p.config, "c", d, "configuration `file`")
	f.StringVar(&p.config, "config", d, "as -c")
}

func (p *program) socketFlag(f *flag.FlagSet) {
	f.StringVar(&p.socket, "socket", defaultSocket, "status socket of the running agent")
}

func (p *program) jsonFlag(f *flag.FlagSet) { f.BoolVar(&p.json, "json", false, "for programs") }

func (p *program) atFlags(f *flag.FlagSet) {
	p.socketFlag(f)
	f.StringVar(&p.port, "port", "", "the modem's AT port, a `tty`; without it the running agent is asked")
	f.IntVar(&p.baud, "baud", 115200, "bit/s; USB modems ignore it")
	f.StringVar(&p.record, "record", "", "append a transcript to this `file`, with PINs and passwords hidden and identities cut short")
	f.StringVar(&p.timeout, "timeout", "10s", "how long to wait for the answer")
}

// run finds the command, reads its flags, which may stand anywhere behind it, and runs it.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	p := &program{out: out, errOut: errOut}
	if len(args) == 0 {
		fmt.Fprint(errOut, usage)
		return &usageError{errors.New("which command?")}
	}
	if args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		fmt.Fprint(out, usage)
		return nil
	}
	if args[0] == "--version" || args[0] == "version" {
		fmt.Fprintln(out, agent.Version())
		return nil
	}
	for _, c := range commands {
		words := strings.Fields(c.name)
		if len(args) < len(words) || strings.Join(args[:len(words)], " ") != c.name {
			continue
		}
		rest, err := p.parse(c, args[len(words):])
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		if err != nil {
			return &usageError{err}
		}
		return c.run(p, ctx, rest)
	}
	for _, c := range commands {
		if strings.HasPrefix(c.name, args[0]+" ") {
			return &usageError{fmt.Errorf("the command is minato-agent %s %s", c.name, c.args)}
		}
	}
	return &usageError{fmt.Errorf("there is no command %q: minato-agent --help lists them", args[0])}
}

// parse reads flags and arguments in any order.
func (p *program) parse(c command, args []string) (rest []string, err error) {
	f := flag.NewFlagSet("minato-agent "+c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&p.log.Level, "log-level", "", "least `level` that is logged: debug, info, warn or error; over the configuration's")
	f.StringVar(&p.log.Format, "log-format", "", "text or json; over the configuration's")
	c.flags(p, f)
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fmt.Fprintf(p.out, "Usage: %s [flags] %s\n\n", f.Name(), c.args)
				f.SetOutput(p.out)
				f.PrintDefaults()
			}
			return nil, err
		}
		if args = f.Args(); len(args) == 0 {
			break
		}
		rest, args = append(rest, args[0]), args[1:]
	}
	if want := len(strings.Fields(c.args)); len(rest) != want && !strings.HasSuffix(c.args, "...") {
		return nil, fmt.Errorf("%s takes %d arguments (%s), not %d", c.name, want, c.args, len(rest))
	}
	for name, v := range map[string][2]string{"log-level": {p.log.Level, "debug info warn error"}, "log-format": {p.log.Format, "text json"}} {
		if v[0] != "" && !strings.Contains(" "+v[1]+" ", " "+v[0]+" ") {
			return nil, fmt.Errorf("--%s is %q: allowed are %s", name, v[0], v[1])
		}
	}
	return rest, nil
}
