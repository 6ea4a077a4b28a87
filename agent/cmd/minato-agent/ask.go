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

// socketFlag finds the running agent.
type socketFlag struct {
	Socket string `default:"/run/minato/agent.sock" placeholder:"FILE" help:"Status socket of the running agent (${default})."`
}

func (s *socketFlag) client() *agent.Client { return agent.NewClient(s.Socket) }

// askTimeout is for questions that the agent answers by itself.
const askTimeout = 5 * time.Second

func (s *socketFlag) status(ctx context.Context) (agent.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return s.client().Status(ctx)
}

type statusCmd struct {
	socketFlag
	JSON bool `help:"For programs."`
}

func (c *statusCmd) Run(ctx context.Context) error {
	s, err := c.status(ctx)
	if err != nil {
		return fmt.Errorf("no agent runs, or it has another status_socket: %w", err)
	}
	if c.JSON {
		return printJSON(s)
	}
	printCheck(s.Checks(), 0)
	return nil
}

type doctorCmd struct {
	socketFlag
	Config string `short:"c" default:"/etc/minato/agent.yaml" placeholder:"FILE" help:"Configuration, for when no agent runs (${default})."`
	JSON   bool   `help:"For programs."`
}

func (c *doctorCmd) Run(ctx context.Context) error {
	var top agent.Check
	socket := c.socketFlag
	cfg, cfgErr := agent.Load(c.Config)
	if cfgErr == nil && cfg.StatusSocket != "" {
		socket.Socket = cfg.StatusSocket
	}
	if s, err := socket.status(ctx); err == nil {
		top = s.Checks()
	} else if cfgErr != nil {
		return &usageError{cfgErr}
	} else {
		top = agent.Diagnose(ctx, cfg)
	}
	if c.JSON {
		if err := printJSON(top); err != nil {
			return err
		}
	} else {
		printCheck(top, 0)
	}
	if !top.Passed() {
		return &checkError{errors.New("something is wrong: see the first line that is not ok")}
	}
	return nil
}

type atCmd struct {
	socketFlag
	Port    string        `placeholder:"TTY" help:"Modem's AT port. Without it, the running agent is asked."`
	Baud    int           `help:"bit/s; USB modems ignore it." default:"115200"`
	Timeout time.Duration `help:"How long to wait for the answer." default:"10s"`
	Command string        `arg:"" help:"As 'AT+CSQ', in quotation marks."`
}

func (c *atCmd) Run(ctx context.Context) error {
	cmd := strings.TrimSpace(c.Command)
	if len(cmd) >= 2 && strings.EqualFold(cmd[:2], "AT") {
		cmd = cmd[2:]
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	lines, err := c.send(ctx, cmd)
	for _, l := range lines {
		fmt.Println(l)
	}
	if err != nil {
		return err
	}
	fmt.Println("OK")
	return nil
}

// send opens the port where nobody holds it, and asks the agent otherwise.
func (c *atCmd) send(ctx context.Context, cmd string) ([]string, error) {
	var busy error
	if c.Port != "" {
		port, err := tty.Open(tty.Config{Path: c.Port, Baud: c.Baud})
		if err == nil {
			line := atline.New(port, atline.Config{})
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
	r, err := c.client().AT(ctx, cmd)
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

type modemsCmd struct {
	JSON bool `help:"For programs."`
}

func (c *modemsCmd) Run() error {
	found, err := tty.Find(os.DirFS("/sys"))
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(found)
	}
	if len(found) == 0 {
		fmt.Fprintln(os.Stderr, "minato-agent: no serial port of a USB device; a modem on a UART is /dev/serial0 or /dev/ttyAMA0")
	}
	for _, d := range found {
		fmt.Printf("%-16s %-10s interface %d  %-5s %s\n", d.Path, d.USB, d.Interface, d.Role, d.Product)
	}
	return nil
}

func printJSON(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printCheck prints a tree of checks, one line each.
func printCheck(c agent.Check, depth int) {
	mark := "ok  "
	if !c.OK {
		mark = "FAIL"
	}
	indent := strings.Repeat("  ", depth)
	fmt.Printf("%s%s %s", indent, mark, c.Name)
	if c.Code != "" {
		fmt.Printf(" [%s]", c.Code)
	}
	if c.Detail != "" {
		fmt.Printf(": %s", c.Detail)
	}
	fmt.Println()
	if c.Hint != "" {
		fmt.Printf("%s     hint: %s\n", indent, c.Hint)
	}
	for _, sub := range c.Checks {
		printCheck(sub, depth+1)
	}
}
