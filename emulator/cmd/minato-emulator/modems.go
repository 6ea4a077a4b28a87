package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"minato/emulator"
)

type modemList struct {
	remote
	JSON bool `help:"As the control API gives it."`
}

func (c *modemList) Run(ctx context.Context, s streams) error {
	var list []emulator.ModemStatus
	text, err := c.call(ctx, http.MethodGet, "/v1/modems", nil, &list)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = s.out.Write(text)
		return err
	}
	rows := [][]string{{"MODEM", "MODEL", "IMEI", "SIM", "REGISTRATION", "CSQ", "CALLS", "AT", "PPP"}}
	for _, m := range list {
		rows = append(rows, []string{fmt.Sprint(m.Modem), m.Model, m.IMEI, m.SIM, fmt.Sprint(m.Registration), fmt.Sprint(m.CSQ), fmt.Sprint(len(m.Calls)), m.AT, m.PPP})
	}
	return s.table(rows)
}

type modemReset struct {
	remote
	Modem int `arg:"" help:"Which, from 0."`
}

func (c *modemReset) Run(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodPost, fmt.Sprintf("/v1/modems/%d/reset", c.Modem), nil, nil)
	return err
}

type modemShow struct {
	remote
	Modem int  `arg:"" help:"Which, from 0."`
	JSON  bool `help:"As the control API gives it."`
}

func (c *modemShow) Run(ctx context.Context, s streams) error {
	var m emulator.ModemStatus
	text, err := c.call(ctx, http.MethodGet, fmt.Sprintf("/v1/modems/%d", c.Modem), nil, &m)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = s.out.Write(text)
		return err
	}
	rows := [][]string{
		{"modem", fmt.Sprint(m.Modem)},
		{"model", fmt.Sprintf("%s %s %s (%s)", m.Manufacturer, m.Model, m.Revision, m.Personality)},
		{"IMEI", m.IMEI}, {"IMSI", m.IMSI}, {"SIM", m.SIM},
		{"functionality", fmt.Sprint(m.Functions)},
		{"registration", strings.TrimSpace(fmt.Sprintf("%d %s", m.Registration, m.Operator))},
		{"signal", fmt.Sprintf("+CSQ %d", m.CSQ)},
		{"ports", portPaths(m)},
	}
	if m.Booting {
		rows = append(rows, []string{"booting", "it hears no commands yet"})
	}
	for _, p := range m.Ports {
		rows = append(rows, []string{"port " + p.Name, circuitsText(p)})
	}
	for _, p := range m.Contexts {
		state := "not active"
		if p.Active {
			state = p.Addr
		}
		rows = append(rows, []string{fmt.Sprintf("context %d", p.CID), fmt.Sprintf("%s %q %s", p.Type, p.APN, state)})
	}
	for _, call := range m.Calls {
		state := ""
		if call.Escaped {
			state = ", in command state"
		}
		rows = append(rows, []string{"call on " + call.Port, fmt.Sprintf("context %d, %d packets up, %d down, %d frames with a bad FCS%s", call.CID, call.PacketsIn, call.PacketsOut, call.BadFCS, state)})
	}
	for _, f := range m.Faults {
		rows = append(rows, []string{"fault", faultText(f)})
	}
	if m.Dropped > 0 {
		rows = append(rows, []string{"dropped", fmt.Sprintf("%d bytes that nobody read", m.Dropped)})
	}
	return s.table(rows)
}

// portPaths are the places of a modem's ports, each once: with a single port AT and data calls share it.
func portPaths(m emulator.ModemStatus) string {
	return strings.Join(slices.Concat(slices.Compact([]string{m.AT, m.PPP}), []string{m.Socket}, m.Listen), " ")
}

// faultText is an active fault on one line.
func faultText(f emulator.ActiveFault) string {
	text := f.Name
	for _, k := range slices.Sorted(maps.Keys(f.Params)) {
		text += fmt.Sprintf(" %s=%s", k, f.Params[k])
	}
	text += " since " + f.Since.Format("15:04:05")
	if f.Until != nil {
		text += " until " + f.Until.Format("15:04:05")
	}
	return text
}
