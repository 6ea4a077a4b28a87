package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"minato/agent"
	"minato/agent/atline"
	"minato/agent/tty"
)

// at sends commands and prints the answers. It ends at the first that is refused.
func (p *program) at(ctx context.Context, args []string) error {
	timeout, err := time.ParseDuration(p.timeout)
	if err != nil || timeout <= 0 {
		return &usageError{fmt.Errorf("--timeout is %q: allowed are durations, as 10s", p.timeout)}
	}
	if len(args) == 0 {
		return &usageError{errors.New("at takes commands, as 'AT+CSQ'")}
	}
	out := p.out
	if p.record != "" {
		f, err := os.OpenFile(p.record, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		fmt.Fprintf(f, "# minato-agent at, %s\n", time.Now().Format(time.RFC3339))
		p.transcript = f
	}
	send, closePort, err := p.sender()
	if err != nil {
		return err
	}
	defer closePort()
	for _, cmd := range args {
		if cmd = strings.TrimSpace(cmd); len(cmd) >= 2 && strings.EqualFold(cmd[:2], "AT") {
			cmd = cmd[2:]
		}
		p.note("> AT" + cmd)
		cctx, cancel := context.WithTimeout(ctx, timeout)
		lines, err := send(cctx, cmd)
		cancel()
		for _, l := range lines {
			fmt.Fprintln(out, oneLine(l))
			p.note("< " + l)
		}
		var refused *checkError
		switch {
		case errors.As(err, &refused):
			p.note("< ! " + err.Error())
			return err
		case errors.Is(err, context.DeadlineExceeded):
			p.note("< ! no answer")
			return &hintedError{fmt.Errorf("no answer within %v: %w", timeout, err), p.silenceHint()}
		case err != nil: // nothing of the modem's
			return err
		}
		fmt.Fprintln(out, "OK")
		p.note("< OK")
	}
	return nil
}

// silenceHint is what to do where the modem says nothing: the usual causes, the commonest first.
func (p *program) silenceHint() string {
	if p.port == "" {
		return "a longer --timeout, for what takes a modem minutes, as AT+COPS=?; `minato-agent doctor` looks for what is wrong"
	}
	return "is this the modem's AT port (`minato-agent modems` lists them), has the modem power, and is --baud its speed?"
}

// note writes a line into the transcript, without what nobody else should read.
func (p *program) note(line string) {
	if p.transcript != nil {
		fmt.Fprintln(p.transcript, mask(oneLine(line)))
	}
}

// identities are IMEI, IMSI and ICCID: fourteen to twenty digits.
var identities = regexp.MustCompile(`\d{14,20}`)

// mask hides PINs, passwords, and the end of numbers that name a device or a subscriber.
func mask(line string) string {
	prefix := ""
	for _, p := range []string{"> AT", "< "} {
		if rest, ok := strings.CutPrefix(line, p); ok {
			prefix, line = p, rest
			break
		}
	}
	return prefix + identities.ReplaceAllStringFunc(atline.Redact(line), func(s string) string {
		return s[:8] + strings.Repeat("*", len(s)-8)
	})
}

// sender opens the port where nobody holds it, and asks the agent otherwise.
func (p *program) sender() (send func(context.Context, string) ([]string, error), closePort func(), err error) {
	ask := func(ctx context.Context, cmd string) ([]string, error) {
		r, err := agent.NewClient(p.socket).AT(ctx, cmd)
		if err == nil && r.Error != "" {
			err = &checkError{errors.New(r.Error)}
		}
		switch {
		case errors.Is(err, os.ErrPermission):
			err = &deniedError{err}
		case isAbsent(err):
			err = &hintedError{noAgent(err), "--socket FILE for an agent that has another one, --port TTY where no agent runs"}
		}
		return r.Lines, err
	}
	if p.port == "" {
		return ask, func() {}, nil
	}
	port, busy := tty.Open(tty.Config{Path: p.port, Baud: p.baud})
	if busy == nil {
		line := atline.New(port, atline.Config{
			Logger: p.logger(agent.LogConfig{Level: "warn"}),
			OnURC:  func(u atline.URC) { fmt.Fprintln(p.errOut, "unsolicited:", oneLine(u.Line)) },
		})
		return func(ctx context.Context, cmd string) ([]string, error) {
			lines, err := line.Command(ctx, cmd)
			if err != nil && ctx.Err() == nil {
				err = &checkError{err}
			}
			return lines, err
		}, func() { line.Close() }, nil
	}
	if !errors.Is(busy, tty.ErrBusy) {
		return nil, nil, busy
	}
	return func(ctx context.Context, cmd string) ([]string, error) {
		lines, err := ask(ctx, cmd)
		if isAbsent(err) {
			err = held(busy)
		}
		return lines, err
	}, func() {}, nil
}

// held is the error of a port in use, with another cure than to end the program where that is an agent: it can be asked.
func held(busy error) error {
	var port *tty.Error
	if errors.As(busy, &port) && port.Holder != nil && port.Holder.Program == "minato-agent" {
		return &hintedError{busy, "leave --port away, and name the agent's status_socket with --socket FILE: then the agent asks its modem"}
	}
	return busy
}
