package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"minato/testbench/tunnel"
)

type tunnelCommand struct {
	Accept     string `help:"Where plaintext clients connect, HOST:PORT or PORT (of 127.0.0.1)." placeholder:"ADDR"`
	Connect    string `help:"The TLS server, HOST:PORT." placeholder:"HOST:PORT"`
	CA         string `help:"PEM file of the certificates to trust rather than the computer's own: the relay's ca.pem." type:"existingfile" placeholder:"FILE"`
	ServerName string `help:"Name that the certificate must have, where it is not the host of --connect." placeholder:"NAME"`
	Config     string `short:"c" help:"A stunnel.conf whose services are in client mode; all of them run." type:"existingfile" placeholder:"FILE"`
}

// configs are the services that the command line asks for.
func (c tunnelCommand) configs() ([]tunnel.Config, error) {
	if c.Config == "" {
		if c.Accept == "" || c.Connect == "" {
			return nil, errors.New("both --accept and --connect are needed, or -c FILE")
		}
		return []tunnel.Config{{Accept: c.Accept, Connect: c.Connect, CAFile: c.CA, ServerName: c.ServerName}}, nil
	}
	if c.Accept+c.Connect+c.CA+c.ServerName != "" {
		return nil, errors.New("-c FILE says it all: give it no other option")
	}
	f, err := os.Open(c.Config)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cfgs, err := tunnel.ParseConf(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Config, err)
	}
	return cfgs, nil
}

func (c tunnelCommand) Run(ctx context.Context, log *slog.Logger) error {
	cfgs, err := c.configs()
	if err != nil {
		return &exitError{status: exitUsage, hint: tunnel.Hint(err), err: err}
	}
	for i := range cfgs {
		cfgs[i].Logger = log
	}
	g, err := tunnel.NewGroup(cfgs)
	if err != nil {
		return &exitError{status: exitUsage, hint: tunnel.Hint(err), err: err}
	}
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	select {
	case <-g.Ready():
		for i, t := range g.Tunnels() {
			fmt.Printf("%s -> %s\n", t.Addr(), cfgs[i].Connect)
		}
		err = <-done
	case err = <-done:
	}
	if err != nil {
		return &exitError{status: exitUnreachable, hint: tunnel.Hint(err), err: err}
	}
	return nil
}
