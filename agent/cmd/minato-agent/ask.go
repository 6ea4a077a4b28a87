package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"minato/agent"
	"minato/agent/tty"
)

// askTimeout is for questions that the agent answers by itself.
const askTimeout = 5 * time.Second

func (p *program) ask(ctx context.Context) (agent.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := agent.NewClient(p.socket).Status(ctx)
	switch {
	case errors.Is(err, fs.ErrPermission):
		err = &deniedError{fmt.Errorf("this user may not ask the agent: %w", err)}
	case err != nil:
		err = noAgent(err)
	}
	return s, err
}

// noAgent says what it means when nobody answers on the status socket.
func noAgent(err error) error {
	return fmt.Errorf("no agent runs, or it has another status_socket: %w", err)
}

// isAbsent tells an error of an agent that does not run from one that it gave.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}

// status shows what the running agent knows.
func (p *program) status(ctx context.Context, _ []string) error {
	s, err := p.ask(ctx)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(s)
	}
	p.printStatus(s)
	return nil
}

// doctor looks for what is wrong: by the running agent, or at the modem itself.
func (p *program) doctor(ctx context.Context, _ []string) error {
	cfg, cfgErr := agent.Load(p.config)
	if cfgErr == nil && cfg.StatusSocket != "" && p.socket == defaultSocket {
		p.socket = cfg.StatusSocket
	}
	var top agent.Check
	var denied *deniedError
	if s, err := p.ask(ctx); err == nil {
		top = agent.CheckLocal(ctx, s.Checks(), cfg, s.Forwards)
	} else if errors.As(err, &denied) {
		return err
	} else if cfgErr != nil {
		return configError(p.config, cfgErr)
	} else {
		fmt.Fprintln(p.errOut, "minato-agent: no agent runs: trying the modem, which may take some minutes")
		top = agent.Diagnose(ctx, cfg)
	}
	if p.json {
		if err := p.printJSON(top); err != nil {
			return err
		}
	} else {
		p.printCheck(top, 0)
	}
	if cause := top.Cause(); cause != nil {
		return &checkError{fmt.Errorf("%s: %s", cause.Code, cause.Name)}
	}
	return nil
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
