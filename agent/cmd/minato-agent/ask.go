package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"minato/agent"
	"minato/agent/atline"
	"minato/agent/tty"
)

// askTimeout is for questions that the agent answers by itself.
const askTimeout = 5 * time.Second

func (p *program) ask(ctx context.Context) (agent.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return agent.NewClient(p.socket).Status(ctx)
}

// status shows what the running agent knows.
func (p *program) status(ctx context.Context, _ []string) error {
	s, err := p.ask(ctx)
	if err != nil {
		return fmt.Errorf("no agent runs, or it has another status_socket: %w", err)
	}
	if p.json {
		return p.printJSON(s)
	}
	p.printCheck(s.Checks(), 0)
	return nil
}

// doctor looks for what is wrong: by the running agent, or at the modem itself.
func (p *program) doctor(ctx context.Context, _ []string) error {
	cfg, cfgErr := agent.Load(p.config)
	if cfgErr == nil && cfg.StatusSocket != "" && p.socket == defaultSocket {
		p.socket = cfg.StatusSocket
	}
	var top agent.Check
	if s, err := p.ask(ctx); err == nil {
		top = s.Checks()
	} else if cfgErr != nil {
		return &usageError{cfgErr}
	} else {
		top = agent.Diagnose(ctx, cfg)
	}
	if p.json {
		if err := p.printJSON(top); err != nil {
			return err
		}
	} else {
		p.printCheck(top, 0)
	}
	if !top.Passed() {
		return &checkError{errors.New("something is wrong: see the first line that is not ok")}
	}
	return nil
}

// at sends one command and prints the answer.
func (p *program) at(ctx context.Context, args []string) error {
	cmd := strings.TrimSpace(args[0])
	if len(cmd) >= 2 && strings.EqualFold(cmd[:2], "AT") {
		cmd = cmd[2:]
	}
	timeout, err := time.ParseDuration(p.timeout)
	if err != nil || timeout <= 0 {
		return &usageError{fmt.Errorf("--timeout is %q: allowed are durations, as 10s", p.timeout)}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	lines, err := p.send(ctx, cmd)
	for _, l := range lines {
		fmt.Fprintln(p.out, l)
	}
	if err == nil {
		fmt.Fprintln(p.out, "OK")
	}
	return err
}

// send opens the port where nobody holds it, and asks the agent otherwise.
func (p *program) send(ctx context.Context, cmd string) ([]string, error) {
	var busy error
	if p.port != "" {
		port, err := tty.Open(tty.Config{Path: p.port, Baud: p.baud})
		if err == nil {
			line := atline.New(port, atline.Config{Logger: p.logger(agent.LogConfig{Level: "warn"})})
			defer line.Close()
			lines, err := line.Command(ctx, cmd)
			if err != nil && ctx.Err() == nil {
				err = &checkError{err}
			}
			return lines, err
		}
		if !errors.Is(err, tty.ErrBusy) {
			return nil, err
		}
		busy = err
	}
	r, err := agent.NewClient(p.socket).AT(ctx, cmd)
	switch {
	case err != nil && busy != nil:
		return nil, busy
	case err != nil:
		return nil, err
	case r.Error != "":
		return r.Lines, &checkError{errors.New(r.Error)}
	}
	return r.Lines, nil
}

// modems lists the ports of USB modems.
func (p *program) modems(context.Context, []string) error {
	found, err := tty.Find(os.DirFS("/sys"))
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(found)
	}
	if len(found) == 0 {
		fmt.Fprintln(p.errOut, "minato-agent: no serial port of a USB device; a modem on a UART is /dev/serial0 or /dev/ttyAMA0")
	}
	for _, d := range found {
		fmt.Fprintf(p.out, "%-16s %-10s interface %d  %-5s %s\n", d.Path, d.USB, d.Interface, d.Role, d.Product)
	}
	return nil
}

func (p *program) printJSON(v any) error {
	enc := json.NewEncoder(p.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printCheck prints a tree of checks, one line each.
func (p *program) printCheck(c agent.Check, depth int) {
	mark := "ok  "
	if !c.OK {
		mark = "FAIL"
	}
	indent := strings.Repeat("  ", depth)
	fmt.Fprintf(p.out, "%s%s %s", indent, mark, c.Name)
	if c.Code != "" {
		fmt.Fprintf(p.out, " [%s]", c.Code)
	}
	if c.Detail != "" {
		fmt.Fprintf(p.out, ": %s", c.Detail)
	}
	fmt.Fprintln(p.out)
	if c.Hint != "" {
		fmt.Fprintf(p.out, "%s     hint: %s\n", indent, c.Hint)
	}
	for _, sub := range c.Checks {
		p.printCheck(sub, depth+1)
	}
}
