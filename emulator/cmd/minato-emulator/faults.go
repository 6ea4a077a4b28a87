package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"minato/emulator"
)

type faultList struct {
	remote
	JSON bool `help:"As the control API gives it."`
}

func (c *faultList) Run(ctx context.Context, s streams) error {
	var list emulator.FaultList
	text, err := c.call(ctx, http.MethodGet, "/v1/faults", nil, &list)
	if errors.Is(err, syscall.ECONNREFUSED) { // none runs: a script is written before
		fmt.Fprintf(s.err, "minato-emulator: no emulator runs at %s: these are the faults that there are, and none is active\n", c.Control)
		list = emulator.Faults()
		text, err = json.Marshal(list)
		text = append(text, '\n')
	}
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = s.out.Write(text)
		return err
	}
	for _, f := range list.Available {
		state := ""
		if f.Momentary {
			state = " (happens once)"
		}
		for _, a := range list.Active {
			if a.Name == f.Name {
				state += fmt.Sprintf(" [active on modem %d]", a.Modem)
			}
		}
		fmt.Fprintf(s.out, "%s%s\n    %s\n", f.Name, state, f.Doc)
		for _, p := range f.Params {
			fmt.Fprintf(s.out, "    %s=%s  %s: %s; %s\n", p.Name, p.Default, p.Type, p.Doc, p.Allowed)
		}
	}
	return nil
}

type faultInject struct {
	remote
	Name   string        `arg:"" help:"Which; see fault list."`
	Params []string      `arg:"" optional:"" help:"Parameters, k=v."`
	Modem  modemNumber   `help:"On which modem: a number from 0, or all." default:"0" placeholder:"N"`
	For    time.Duration `help:"Clear it by itself after this time, as 30s. Default: it stays." placeholder:"TIME"`
}

// modemNumber is a modem's number, or all.
type modemNumber string

// Validate is called by the command line's parser.
func (n modemNumber) Validate() error {
	if i, err := strconv.Atoi(string(n)); n != "all" && (err != nil || i < 0) {
		return fmt.Errorf("%q: must be a number from 0, or all", string(n))
	}
	return nil
}

// MarshalJSON makes a number of a number.
func (n modemNumber) MarshalJSON() ([]byte, error) {
	if i, err := strconv.Atoi(string(n)); err == nil {
		return json.Marshal(i)
	}
	return json.Marshal(string(n))
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
	body := map[string]any{"name": c.Name, "modem": c.Modem, "params": params}
	if c.For != 0 {
		body["for"] = c.For.String()
	}
	_, err := c.call(ctx, http.MethodPost, "/v1/faults", body, nil)
	return err
}

type faultClear struct {
	remote
	Name  string      `arg:"" optional:"" help:"Which. Default: all."`
	Modem modemNumber `help:"On which modem: a number from 0, or all." default:"all" placeholder:"N"`
}

func (c *faultClear) Run(ctx context.Context) error {
	query := url.Values{"modem": {string(c.Modem)}}
	if c.Name != "" {
		query.Set("name", c.Name)
	}
	_, err := c.call(ctx, http.MethodDelete, "/v1/faults?"+query.Encode(), nil, nil)
	return err
}
