package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"minato/targets"
)

const off = "off"

type runCommand struct {
	HTTP   string `name:"http" help:"Address of the page, or off." default:"127.0.0.1:8081" placeholder:"ADDR"`
	HTTPS  string `name:"https" help:"Address of the page with a self-signed certificate, or off." default:"off" placeholder:"ADDR"`
	Modbus string `help:"Address of the Modbus/TCP server, or off." default:"127.0.0.1:1502" placeholder:"ADDR"`
	VNC    string `name:"vnc" help:"Address of the screen, or off." default:"127.0.0.1:5900" placeholder:"ADDR"`
	SSH    string `name:"ssh" help:"Address of the shell, or off." default:"127.0.0.1:2222" placeholder:"ADDR"`
	Name   string `help:"Name of the device." default:"minato"`

	VNCPasswordFile   string `name:"vnc-password-file" help:"File with the VNC password in its first line; without it nobody is asked." placeholder:"FILE"`
	SSHAuthorizedKeys string `name:"ssh-authorized-keys" help:"Keys that may log in; without it nobody can." placeholder:"FILE"`
	SSHPasswords      string `name:"ssh-passwords" help:"Who may log in with which password: lines of USER:PASSWORD." placeholder:"FILE"`
	SSHShell          string `name:"ssh-shell" help:"Program that a log-in runs, as the user that runs this; without it there are sample commands." placeholder:"PROGRAM"`
	SSHHostKey        string `name:"ssh-host-key" help:"Host key, made when absent; without it a new one at each start." placeholder:"FILE"`
}

// services in the order in which they are printed.
func (c *runCommand) services() []struct{ name, address string } {
	return []struct{ name, address string }{
		{"http", c.HTTP}, {"https", c.HTTPS}, {"modbus", c.Modbus}, {"vnc", c.VNC}, {"ssh", c.SSH},
	}
}

// Run listens on everything first, so that an address that is taken shows before anything is served.
func (c *runCommand) Run(ctx context.Context, p *program, s streams) error {
	listeners, err := c.listen()
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	cfg, err := c.config(listeners)
	if err != nil {
		return &exitError{exitUsage, err, ""}
	}
	cfg.Logger = p.logger(s.err)
	set, err := targets.New(cfg)
	if err != nil {
		return &exitError{exitUsage, err, ""}
	}
	if l := listeners["vnc"]; l != nil && cfg.VNCPassword == "" && !loopback(l) {
		cfg.Logger.Warn("the screen is open to everybody who reaches its address", "address", l.Addr().String(), "cure", "--vnc-password-file")
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return set.Run(ctx) })
	for _, service := range c.services() {
		if l := listeners[service.name]; l != nil {
			fmt.Fprintf(s.out, "%-6s %v\n", service.name, l.Addr())
			g.Go(func() error { return set.Service(service.name).Serve(ctx, l) })
		}
	}
	return g.Wait()
}

func (c *runCommand) listen() (map[string]net.Listener, error) {
	listeners := make(map[string]net.Listener)
	for _, service := range c.services() {
		if service.address == off {
			continue
		}
		l, err := net.Listen("tcp", service.address)
		if err != nil {
			closeAll(listeners)
			return nil, listenError(service.name, err)
		}
		listeners[service.name] = l
	}
	if len(listeners) == 0 {
		return nil, &exitError{exitUsage, errors.New("every service is off"), "leave one of --http, --https, --modbus, --vnc, --ssh on"}
	}
	return listeners, nil
}

func listenError(name string, err error) error {
	e := &exitError{exitUsage, fmt.Errorf("listening for %s: %w", name, err), fmt.Sprintf("--%s takes HOST:PORT or off", name)}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.status, e.hint = exitNotAllowed, fmt.Sprintf("ports below 1024 need privileges: give another with --%s", name)
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, syscall.EADDRNOTAVAIL):
		e.status, e.hint = exitUnreached, fmt.Sprintf("give another address with --%s, or --%s off", name, name)
	}
	return e
}

func closeAll(listeners map[string]net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

func (c *runCommand) config(listeners map[string]net.Listener) (targets.Config, error) {
	cfg := targets.Config{Name: c.Name, HTTPS: listeners["https"] != nil, Dial: dialOwn(listeners)}
	cfg.SSH.HostKeyFile, cfg.SSH.Shell = c.SSHHostKey, c.SSHShell
	if c.VNCPasswordFile != "" {
		b, err := os.ReadFile(c.VNCPasswordFile)
		if err != nil {
			return cfg, fmt.Errorf("reading the VNC password: %w", err)
		}
		cfg.VNCPassword, _, _ = strings.Cut(string(b), "\n")
		cfg.VNCPassword = strings.TrimSuffix(cfg.VNCPassword, "\r")
		if cfg.VNCPassword == "" {
			return cfg, fmt.Errorf("reading the VNC password: the first line of %q is empty", c.VNCPasswordFile)
		}
	}
	if c.SSHAuthorizedKeys != "" {
		b, err := os.ReadFile(c.SSHAuthorizedKeys)
		if err != nil {
			return cfg, fmt.Errorf("reading the authorized SSH keys: %w", err)
		}
		cfg.SSH.AuthorizedKeys = strings.Split(string(b), "\n")
	}
	if c.SSHPasswords != "" {
		var err error
		if cfg.SSH.Passwords, err = readPasswords(c.SSHPasswords); err != nil {
			return cfg, fmt.Errorf("reading the SSH passwords: %w", err)
		}
	}
	return cfg, nil
}

func readPasswords(file string) (map[string]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	passwords := make(map[string]string)
	for i, line := range strings.Split(strings.TrimRight(string(b), "\r\n"), "\n") {
		user, password, ok := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
		if !ok || user == "" || password == "" {
			return nil, fmt.Errorf("line %d of %q is not USER:PASSWORD", i+1, file)
		}
		passwords[user] = password
	}
	return passwords, nil
}

// dialOwn reaches what is served here, by port.
func dialOwn(listeners map[string]net.Listener) func(context.Context, uint16) (net.Conn, error) {
	return func(ctx context.Context, port uint16) (net.Conn, error) {
		for _, l := range listeners {
			address := l.Addr().(*net.TCPAddr).AddrPort()
			if address.Port() != port {
				continue
			}
			if ip := address.Addr().Unmap(); ip.IsUnspecified() { // listening everywhere: loopback will do
				address = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
			}
			var d net.Dialer
			return d.DialContext(ctx, "tcp", address.String())
		}
		return nil, fmt.Errorf("port %d is not served here: %w", port, os.ErrPermission)
	}
}

func loopback(l net.Listener) bool {
	return l.Addr().(*net.TCPAddr).IP.IsLoopback()
}
