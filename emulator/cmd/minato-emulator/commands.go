package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"minato/emulator"
	"minato/emulator/dce"
)

// table prints rows in columns.
func (s streams) table(rows [][]string) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

type faultList struct {
	remote
	JSON bool `help:"As the control API gives it."`
}

func (c *faultList) Run(ctx context.Context, s streams) error {
	var list struct {
		Available []struct {
			Name, Doc string
			Params    []struct{ Name, Doc, Default, Allowed string }
		}
		Active []emulator.ActiveFault
	}
	text, err := c.call(ctx, http.MethodGet, "/v1/faults", nil, &list)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = s.out.Write(text)
		return err
	}
	for _, f := range list.Available {
		state := ""
		for _, a := range list.Active {
			if a.Name == f.Name {
				state += fmt.Sprintf(" [active on modem %d]", a.Modem)
			}
		}
		fmt.Fprintf(s.out, "%s%s\n    %s\n", f.Name, state, f.Doc)
		for _, p := range f.Params {
			fmt.Fprintf(s.out, "    %s=%s  %s; %s\n", p.Name, p.Default, p.Doc, p.Allowed)
		}
	}
	return nil
}

type faultInject struct {
	remote
	Name   string   `arg:"" help:"Which; see fault list."`
	Params []string `arg:"" optional:"" help:"Parameters, k=v."`
	Modem  int      `help:"On which modem." default:"0" placeholder:"N"`
}

func (c *faultInject) Run(ctx context.Context) error {
	params := map[string]string{}
	for _, p := range c.Params {
		k, v, ok := strings.Cut(p, "=")
		if !ok {
			return &exitError{exitUsage, "", fmt.Errorf("parameter %q: must have the form k=v", p)}
		}
		params[k] = v
	}
	_, err := c.call(ctx, http.MethodPost, "/v1/faults", map[string]any{"name": c.Name, "modem": c.Modem, "params": params}, nil)
	return err
}

type faultClear struct{ remote }

func (c *faultClear) Run(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodDelete, "/v1/faults", nil, nil)
	return err
}

type simList struct {
	remote
	JSON bool `help:"As the control API gives it."`
}

func (c *simList) Run(ctx context.Context, s streams) error {
	var list []emulator.SIM
	text, err := c.call(ctx, http.MethodGet, "/v1/sims", nil, &list)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = s.out.Write(text)
		return err
	}
	rows := [][]string{{"SIM", "IMSI", "NAME", "ONLINE", "ADDRESS"}}
	for _, sim := range list {
		rows = append(rows, []string{sim.SIMID, sim.IMSI, sim.Name, fmt.Sprint(sim.Online), sim.IPAddress})
	}
	return s.table(rows)
}

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

type personalitiesCommand struct {
	JSON bool `help:"For programs."`
}

// provenance is a personality and how many of its facts come from where.
type provenance struct {
	Name       string `json:"name"`
	Doc        string `json:"doc"`
	Transcript int    `json:"transcript"`
	Manual     int    `json:"manual"`
	Inferred   int    `json:"inferred"`
}

func (c *personalitiesCommand) Run(s streams) error {
	var list []provenance
	for _, name := range dce.Personalities() {
		p, err := dce.LoadPersonality(name)
		if err != nil {
			return err
		}
		n := p.Sources()
		list = append(list, provenance{name, p.Doc, n[dce.SourceTranscript], n[dce.SourceManual], n[dce.SourceInferred]})
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(list)
	}
	rows := [][]string{{"NAME", "TRANSCRIPT", "MANUAL", "INFERRED", "WHAT"}}
	for _, p := range list {
		all := max(p.Transcript+p.Manual+p.Inferred, 1)
		row := []string{p.Name}
		for _, n := range []int{p.Transcript, p.Manual, p.Inferred} {
			row = append(row, fmt.Sprintf("%d%%", (100*n+all/2)/all))
		}
		rows = append(rows, slices.Concat(row, []string{p.Doc}))
	}
	return s.table(rows)
}
