package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"

	"minato/emulator"
)

// Default addresses, so that programs find each other without configuration.
const (
	defaultControl = "127.0.0.1:7070"
	defaultSOCKS   = "127.0.0.1:7080"
)

type runCommand struct {
	ConfigFile  string `name:"config" short:"c" help:"Configuration in YAML; flags win over it." placeholder:"FILE"`
	Modems      int    `help:"How many modems. Default: 1." placeholder:"N"`
	Personality string `help:"What they are; see personalities. Default: quectel-ec25." placeholder:"NAME"`
	Dir         string `help:"Where the ports get their names. Default: a temporary directory." placeholder:"DIR"`
	Control     string `help:"Address of the control API. Default: 127.0.0.1:7070." placeholder:"ADDR"`
	SOCKS       string `name:"socks" help:"Address of the SOCKS5 door into the network. Default: 127.0.0.1:7080." placeholder:"ADDR"`
	Pcap        string `help:"File for a pcapng capture of all IP packets." placeholder:"FILE"`
}

func (c *runCommand) Run(ctx context.Context, log *slog.Logger, s streams) error {
	var file emulator.File
	if c.ConfigFile != "" {
		text, err := os.ReadFile(c.ConfigFile)
		if err != nil {
			return &exitError{exitUsage, "", fmt.Errorf("reading the configuration: %w", err)}
		}
		if file, err = emulator.ParseFile(text); err != nil {
			return &exitError{exitUsage, "", fmt.Errorf("%s: %w", c.ConfigFile, err)}
		}
	}
	file.Modems = cmp.Or(c.Modems, file.Modems)
	file.Personality = cmp.Or(c.Personality, file.Personality)
	file.Dir = cmp.Or(c.Dir, file.Dir)
	file.Control = cmp.Or(c.Control, file.Control, defaultControl)
	file.SOCKS = cmp.Or(c.SOCKS, file.SOCKS, defaultSOCKS)
	file.Pcap = cmp.Or(c.Pcap, file.Pcap)

	cfg, err := file.Config()
	if err != nil {
		return &exitError{exitUsage, "", err}
	}
	cfg.Logger = log
	var capture *os.File
	if file.Pcap != "" {
		if capture, err = os.Create(file.Pcap); err != nil {
			return &exitError{exitUnreachable, "", fmt.Errorf("making the capture: %w", err)}
		}
		cfg.Capture = capture
	}
	e, err := emulator.New(cfg)
	if err != nil {
		return &exitError{exitUsage, "", err}
	}
	err = serve(ctx, e, s)
	if capture != nil {
		err = errors.Join(err, capture.Close())
	}
	return err
}

// serve runs the emulator and says on standard output when the modems are there.
func serve(ctx context.Context, e *emulator.Emulator, s streams) error {
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }() // waited for below
	select {
	case <-e.Ready():
		for n := range e.Modems() {
			m := e.Modem(n)
			st := m.Status()
			fmt.Fprintf(s.out, "modem%d %s %s imei=%s imsi=%s at=%s ppp=%s socket=%s\n", n, st.Manufacturer, st.Model, st.IMEI, st.IMSI, st.AT, st.PPP, st.Socket)
		}
	case err := <-done:
		done <- err
	}
	err := <-done
	var open *net.OpError
	var path *fs.PathError
	if errors.As(err, &open) || errors.As(err, &path) {
		return &exitError{exitUnreachable, "is another emulator running? --control, --socks and --dir choose other places", err}
	}
	return err
}
