package sshd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"minato/targets/plc"
)

// command of the shell; run gives the exit status.
type command struct {
	name, args, doc string
	run             func(sh *shell, args []string) int
}

// commands is all of them, in the order that help prints.
func commands() []command {
	return []command{
		{"help", "", "this list", help},
		{"values", "", "what the plant's instruments show", values},
		{"set", "pump on|off", "switch the pump by hand", set},
		{"", "automatic on|off", "let the controller switch it", nil},
		{"", "valve PERCENT", "open the valve", nil},
		{"", "setpoint PERCENT", "the level that the controller holds", nil},
		{"uptime", "", "how long the plant has run", uptime},
		{"echo", "[WORD]...", "say it again", echo},
		{"cat", "FILE...", "show a file; there is /etc/motd", cat},
		{"exit", "[STATUS]", "leave", exit},
	}
}

func help(sh *shell, _ []string) int {
	tw := tabwriter.NewWriter(sh.out, 0, 0, 2, ' ', 0)
	name := ""
	for _, c := range commands() {
		if c.name != "" {
			name = c.name
		}
		fmt.Fprintf(tw, "%s %s\t%s\n", name, c.args, c.doc)
	}
	tw.Flush()
	return statusOK
}

func values(sh *shell, _ []string) int {
	v := sh.server.cfg.Plant.Values()
	onOff := map[bool]string{true: "on", false: "off"}
	for _, line := range []struct{ name, value string }{
		{"level", fmt.Sprintf("%.1f %%", v.Level)},
		{"setpoint", fmt.Sprintf("%.1f %%", v.Setpoint)},
		{"temperature", fmt.Sprintf("%.1f °C", v.Temperature)},
		{"inflow", fmt.Sprintf("%.2f l/s", v.Inflow)},
		{"outflow", fmt.Sprintf("%.2f l/s", v.Outflow)},
		{"pump", onOff[v.Pump]},
		{"automatic", onOff[v.Automatic]},
		{"valve", fmt.Sprintf("%.1f %%", v.Valve)},
	} {
		fmt.Fprintf(sh.out, "%-12s %s\n", line.name, line.value)
	}
	return statusOK
}

func set(sh *shell, args []string) int {
	if len(args) != 2 {
		return sh.fail(statusUsage, "set: want a name and a value; try help")
	}
	plant := sh.server.cfg.Plant
	var err error
	switch name, value := args[0], args[1]; name {
	case "pump":
		err = setSwitch(value, plant.SetPump)
	case "automatic":
		err = setSwitch(value, func(on bool) error { plant.SetAutomatic(on); return nil })
	case "valve":
		err = setPercent(value, plant.SetValve)
	case "setpoint":
		err = setPercent(value, plant.SetSetpoint)
	default:
		return sh.fail(statusUsage, "set: nothing is called %q; there are pump, automatic, valve and setpoint", name)
	}
	switch {
	case errors.Is(err, errUsage), errors.Is(err, plc.ErrOutOfRange):
		return sh.fail(statusUsage, "set: %v", err)
	case err != nil:
		return sh.fail(statusFailed, "set: %v", err)
	}
	return statusOK
}

var errUsage = errors.New("not understood")

func setSwitch(value string, set func(bool) error) error {
	if value != "on" && value != "off" {
		return fmt.Errorf("the value %q is %w: want on or off", value, errUsage)
	}
	return set(value == "on")
}

func setPercent(value string, set func(float64) error) error {
	percent, err := strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
	if err != nil {
		return fmt.Errorf("the value %q is %w: want a number of percent", value, errUsage)
	}
	return set(percent)
}

func uptime(sh *shell, _ []string) int {
	fmt.Fprintf(sh.out, "up %v\n", sh.server.cfg.Plant.Values().Uptime.Truncate(time.Second))
	return statusOK
}

func echo(sh *shell, args []string) int {
	fmt.Fprintln(sh.out, strings.Join(args, " "))
	return statusOK
}

func cat(sh *shell, args []string) int {
	status := statusOK
	for _, name := range args {
		if name != "/etc/motd" {
			status = sh.fail(statusFailed, "cat: %s: no such file", name)
			continue
		}
		fmt.Fprint(sh.out, sh.server.motd())
	}
	return status
}

// motd greets.
func (s *Server) motd() string {
	return fmt.Sprintf("Welcome to %s, a simulated plant. Everything that you can do here is in help.\n", s.cfg.Name)
}

func exit(sh *shell, args []string) int {
	sh.exited = true
	if len(args) == 0 {
		return sh.status
	}
	status, err := strconv.ParseUint(args[0], 10, 8)
	if err != nil || len(args) > 1 {
		return sh.fail(statusUsage, "exit: want one number of 0 to 255")
	}
	return int(status)
}
