package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// simShape shows or changes how a SIM's link treats packets.
type simShape struct {
	remote
	SIM   string `arg:"" name:"simid" help:"Which SIM; see sim list."`
	Shape string `arg:"" optional:"" help:"none, cat1, cat4, catM1 or nb1, then settings, as cat1,loss=1%,up.latency=80ms; without it the shape is shown."`
}

func (c *simShape) Run(ctx context.Context, s streams) error {
	path := "/v1/sims/" + url.PathEscape(c.SIM) + "/shape"
	link := struct {
		Shape string `json:"shape"`
	}{c.Shape}
	if c.Shape != "" {
		_, err := c.call(ctx, http.MethodPut, path, link, nil)
		return err
	}
	if _, err := c.call(ctx, http.MethodGet, path, nil, &link); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, link.Shape)
	return err
}
