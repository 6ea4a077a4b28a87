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

type personalitiesCommand struct {
	JSON  bool     `help:"For programs; counts of facts instead of shares."`
	Files []string `arg:"" optional:"" name:"file" help:"Personalities of one's own, to be checked and listed with those that are built in."`
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
	for i, name := range slices.Concat(dce.Personalities(), c.Files) {
		if i >= len(dce.Personalities()) && !strings.ContainsRune(name, '/') {
			name = "./" + name // a path, and not a name
		}
		p, err := dce.LoadPersonality(name)
		if err != nil {
			return &exitError{exitUsage, "emulator/dce/personalities has examples, and personality.go says what the keys mean", err}
		}
		n := p.Sources()
		list = append(list, provenance{p.Name, p.Doc, n[dce.SourceTranscript], n[dce.SourceManual], n[dce.SourceInferred]})
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
