package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"syscall"

	"minato/emulator"
)

// Default addresses, so that programs find each other without configuration.
const (
	defaultControl = "127.0.0.1:7070"
	defaultSOCKS   = "127.0.0.1:7080"
)

type runCommand struct {
	ConfigFile  string   `name:"config" short:"c" help:"Configuration in YAML; flags win over it." placeholder:"FILE"`
	Modems      *int     `help:"How many modems, at least 1. Default: 1." placeholder:"N"`
	Personality string   `help:"What they are: a name that personalities lists, or the path of a file; of several, modem 0 is the first, modem 1 the second, and so on, over and over. Default: quectel-ec25." placeholder:"NAME[,NAME]..."`
	Dir         string   `help:"Where the ports get their names. Default: a temporary directory." placeholder:"DIR"`
	Control     string   `help:"Loopback address of the control API. Default: 127.0.0.1:7070." placeholder:"ADDR"`
	SOCKS       string   `name:"socks" help:"Loopback address of the SOCKS5 door into the network. Default: 127.0.0.1:7080." placeholder:"ADDR"`
	Platform    []string `help:"Door out of the network: a device that talks to IP:PORT there reaches ADDR of this machine, which is told the device's address by a PROXY header, version 2. PROTO is tcp or udp; [NAME@] before it is a name for IP in the network's DNS. May be repeated." placeholder:"IP:PORT/PROTO=ADDR" sep:"none"`
	TUN         string   `name:"tun" help:"TUN device that lets this machine's programs reach the modems' addresses, and the modems 100.127.255.254; it needs CAP_NET_ADMIN." placeholder:"NAME"`
	Pcap        string   `help:"File for a pcapng capture of all IP packets." placeholder:"FILE"`
	PcapPPP     string   `name:"pcap-ppp" help:"File for a pcapng capture of all PPP frames on the modems' lines." placeholder:"FILE"`

	Listen []string `help:"Further place that takes AT commands, for each modem: abstract:NAME%d (%d is its number) or tcp:HOST:PORT (modem 0; PORT+1 for modem 1; 0: any). May be repeated." placeholder:"PLACE" sep:"none"`
	Script string   `help:"Timetable of faults in YAML, as [{at: 10s, modem: 0, fault: silent-link, params: {lcp: true}, for: 30s}]; modem may be all." placeholder:"FILE"`
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
	if c.Modems != nil {
		file.Modems = c.Modems
	}
	file.Personality = cmp.Or(c.Personality, file.Personality)
	file.Dir = cmp.Or(c.Dir, file.Dir)
	file.Control = cmp.Or(c.Control, file.Control, defaultControl)
	file.SOCKS = cmp.Or(c.SOCKS, file.SOCKS, defaultSOCKS)
	file.Pcap = cmp.Or(c.Pcap, file.Pcap)
	file.PcapPPP = cmp.Or(c.PcapPPP, file.PcapPPP)
	file.TUN = cmp.Or(c.TUN, file.TUN)
	if len(c.Platform) > 0 {
		file.Platform = c.Platform
	}
	if len(c.Listen) > 0 {
		file.Listen = c.Listen
	}

	cfg, err := file.Config()
	if err != nil {
		return &exitError{exitUsage, "", err}
	}
	cfg.Logger = log
	if c.Script != "" {
		if cfg.Script, err = readScript(c.Script, cmp.Or(cfg.Modems, 1)); err != nil {
			return &exitError{exitUsage, "minato-emulator fault list documents the faults", err}
		}
	}
	captures, err := openCaptures(&cfg, file.Pcap, file.PcapPPP)
	if err != nil {
		return errors.Join(err, captures.Close())
	}
	e, err := emulator.New(cfg)
	if err != nil {
		return errors.Join(&exitError{exitUsage, "", err}, captures.Close())
	}
	return errors.Join(serve(ctx, e, s), captures.Close())
}

// captures are the files that a run writes.
type captures []*os.File

// openCaptures makes the files that have a name.
func openCaptures(cfg *emulator.Config, ip, ppp string) (made captures, err error) {
	for _, c := range []struct {
		name string
		to   *io.Writer
	}{{ip, &cfg.Capture}, {ppp, &cfg.CapturePPP}} {
		if c.name == "" {
			continue
		}
		f, err := os.Create(c.name)
		if err != nil {
			status := exitUnreachable
			if errors.Is(err, fs.ErrPermission) {
				status = exitDenied
			}
			return made, &exitError{status, "", fmt.Errorf("making a capture: %w", err)}
		}
		made, *c.to = append(made, f), f
	}
	return made, nil
}

func (c captures) Close() error {
	var errs []error
	for _, f := range c {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

func readScript(name string, modems int) (emulator.Script, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the script: %w", err)
	}
	script, err := emulator.ParseScript(text, modems)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return script, nil
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
			fmt.Fprintf(s.out, "modem%d %s %s imei=%s imsi=%s at=%s ppp=%s socket=%s", n, st.Manufacturer, st.Model, st.IMEI, st.IMSI, st.AT, st.PPP, st.Socket)
			for _, place := range st.Listen {
				fmt.Fprintf(s.out, " listen=%s", place)
			}
			fmt.Fprintln(s.out)
		}
	case err := <-done:
		done <- err
	}
	return openingError(<-done)
}

// openingError adds the cure for what keeps an emulator from opening its places.
func openingError(err error) error {
	var open *net.OpError
	var path *fs.PathError
	switch {
	case errors.Is(err, emulator.ErrTooMany):
		return &exitError{exitUnreachable, "raise the limit with ulimit -n (systemd: LimitNOFILE=), or run fewer modems", err}
	case errors.Is(err, syscall.ENOSPC):
		return &exitError{exitUnreachable, "a modem needs two pseudo-terminals: raise kernel.pty.max with sysctl, or run fewer modems", err}
	case errors.Is(err, fs.ErrPermission):
		return &exitError{exitDenied, "", err}
	case errors.As(err, &open) || errors.As(err, &path):
		return &exitError{exitUnreachable, "is another emulator running? --control, --socks and --dir choose other places", err}
	}
	return err
}
