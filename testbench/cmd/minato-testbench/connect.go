package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"minato/testbench/access"
	"minato/testbench/connect"
	"minato/testbench/field"
	"minato/testbench/report"
	"minato/testbench/tunnel"
)

type connectCommand struct {
	relayFlags
	Service  string   `help:"What to reach: vnc, modbus, http, https, ssh, rdp; NAME=PORT for another port of the device." required:"" placeholder:"NAME"`
	Accept   string   `help:"Where the client connects, HOST:PORT or PORT (of 127.0.0.1), where the TLS option is ON; default: a free port." placeholder:"ADDR"`
	Duration int      `help:"Seconds that the mapping lasts, and lasts again when it is renewed." default:"1800"`
	Source   []string `help:"Ranges that may connect; default: this computer's address." placeholder:"CIDR,..."`
	Viewer   string   `help:"Program to start, with {host} and {port} for the address; auto: the usual one. When it ends, so does the connection." placeholder:"COMMAND"`
}

// longestMapping is the relay's limit, as relay/openapi.yaml has it, in seconds.
const longestMapping = 28800

func (c connectCommand) Run(ctx context.Context, log *slog.Logger) error {
	usage := func(err error) error {
		return &exitError{status: exitUsage, err: err, hint: "minato-testbench connect --help shows the options"}
	}
	services, err := field.ParseServices([]string{c.Service})
	if err != nil {
		return usage(err)
	}
	service := services[0]
	if c.Duration < 1 || c.Duration > longestMapping {
		return usage(fmt.Errorf("--duration %d: want seconds from 1 to %d", c.Duration, longestMapping))
	}
	if _, err := tunnel.AcceptAddress(c.Accept); err != nil {
		return usage(fmt.Errorf("--%w", err))
	}
	if err := checkSources(c.Source); err != nil {
		return usage(err)
	}
	relay, err := c.open()
	if err != nil {
		return err
	}
	defer relay.Close()
	cfg := connect.Config{Relay: relay, SIM: c.SIM, Port: service.Port, TLS: service.TLS, Accept: c.Accept, Duration: c.Duration, Sources: c.Source, Logger: log}
	if c.Accept != "" && !service.TLS {
		return usage(fmt.Errorf("--accept is for services with the TLS option ON: %s is reached at the mapping itself", service.Name))
	}
	switch {
	case c.Viewer == "auto":
		if cfg.Viewer, err = connect.UsualViewer(service.Name, runtime.GOOS); err != nil {
			return usage(err)
		}
	default:
		cfg.Viewer = strings.Fields(c.Viewer)
	}
	if err := connect.FindViewer(cfg.Viewer); err != nil {
		return usage(err)
	}
	show := &timeLeft{w: os.Stderr, live: report.IsTerminal(os.Stderr), renews: len(cfg.Viewer) == 0}
	cfg.Open = func(o connect.Open) { show.open(service, o) }
	cfg.Left = show.left
	if len(cfg.Viewer) > 0 { // it gets the terminal
		show.live = false
		cfg.Start = func(ctx context.Context, argv []string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
			return cmd
		}
	} else {
		cfg.Renew = lines(os.Stdin)
	}
	err = connect.Run(ctx, cfg)
	show.end()
	return explained(err)
}

// explained gives an error its exit status and hint.
func explained(err error) error {
	var problem *access.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &problem):
		if problem.Code != "" {
			err = fmt.Errorf("%s: %w", problem.Code, err)
		}
		return &exitError{status: statusOf(problem), hint: problem.Cure, err: err}
	}
	return &exitError{status: exitUnreachable, hint: tunnel.Hint(err), err: err}
}

// lines sends at each line that comes. Its goroutine reads until the input or the program ends.
func lines(r io.Reader) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		for in := bufio.NewScanner(r); in.Scan(); {
			c <- struct{}{}
		}
	}()
	return c
}

// timeLeft shows how long the mapping lasts: on a terminal in one live line, elsewhere when it gets short.
type timeLeft struct {
	w      io.Writer
	live   bool
	renews bool // Enter does; a viewer has the terminal, and gets what is typed
	last   time.Duration
}

// warnAt are the moments that are told where there is no live line.
var warnAt = []time.Duration{5 * time.Minute, time.Minute}

func (t *timeLeft) open(s field.Service, o connect.Open) {
	fmt.Printf("%s of the device: %s\n", s.Name, o.Address)
	enter := ""
	if t.renews {
		enter = "Enter renews it, "
	}
	fmt.Fprintf(t.w, "mapping %s, TLS option %s, until %s. %sCtrl-C ends and removes it.\n",
		o.Mapping.Endpoint, map[bool]string{true: "ON", false: "OFF"}[o.Mapping.TLSRequired], time.UnixMilli(o.Mapping.ExpiredTime).Format(time.TimeOnly), enter)
}

func (t *timeLeft) left(d time.Duration) {
	d = d.Round(time.Second)
	renewed := t.last != 0 && d > t.last
	if t.live {
		fmt.Fprintf(t.w, "\r\x1b[K%s left ", d)
	} else if renewed {
		fmt.Fprintf(t.w, "renewed: %s left\n", d)
	}
	for _, at := range warnAt {
		if !t.live && t.last > at && d <= at {
			fmt.Fprintf(t.w, "%s left\n", d)
		}
	}
	t.last = d
}

func (t *timeLeft) end() {
	if t.live && t.last != 0 {
		fmt.Fprintln(t.w)
	}
}
