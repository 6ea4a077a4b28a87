package testbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"

	"minato/relay/relayapi"
	"minato/testbench/access"
	"minato/testbench/env"
)

// upServices are the device's services as Up maps them: what it is, port, TLS option, and how a user reaches each.
var upServices = []struct {
	name string
	port int
	tls  bool
	use  func(m *relayapi.PortMapping, ca, sshKey string) string
}{
	{"web page", 80, true, func(m *relayapi.PortMapping, ca, _ string) string {
		return fmt.Sprintf("curl --cacert %s https://%s/", ca, m.Endpoint)
	}},
	{"screen", 5900, true, func(m *relayapi.PortMapping, ca, _ string) string {
		return tunnelTo(m, ca, "127.0.0.1:5999") + "\n            and in another terminal a VNC viewer: vncviewer 127.0.0.1::5999"
	}},
	{"registers", 502, true, func(m *relayapi.PortMapping, ca, _ string) string {
		return tunnelTo(m, ca, "127.0.0.1:1502") + "\n            and in another terminal: mbpoll -m tcp -p 1502 -r 1 -c 2 127.0.0.1"
	}},
	{"shell", 22, false, func(m *relayapi.PortMapping, _, sshKey string) string {
		return fmt.Sprintf("ssh -i %s -p %d %s@%s", sshKey, m.Port, env.SSHUser, m.IPAddress)
	}},
}

// tunnelTo is the command for a client that knows no TLS, with this program as the user called it.
func tunnelTo(m *relayapi.PortMapping, ca, accept string) string {
	return fmt.Sprintf("%s tunnel --accept %s --connect %s --ca %s", os.Args[0], accept, m.Endpoint, ca)
}

// Up builds the whole path in this process at the documented default addresses, makes a port mapping for each service of the device, says how to reach
// them on w, and keeps it running until ctx ends. The mappings end with it: the next Up in dir makes its own.
func Up(ctx context.Context, dir string, w io.Writer, logger *slog.Logger) (err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	release, err := claim(dir)
	if err != nil {
		return err
	}
	defer release()
	e, err := env.Start(ctx, env.Config{Dir: dir, Logger: logger, Fixed: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return open(ctx, e, w)
}

// open makes the mappings, says how to reach them, and removes them when ctx ends.
func open(ctx context.Context, e *env.Env, w io.Writer) (err error) {
	c, err := e.Client(0)
	if err != nil {
		return err
	}
	pem, err := c.API.CA(ctx)
	if err != nil {
		return err
	}
	ca := filepath.Join(e.Dir, "ca.pem")
	if err := os.WriteFile(ca, pem, 0o644); err != nil {
		return err
	}
	id, secret := e.Key()
	sim := e.SIM()
	fmt.Fprintf(w, "The device is online: SIM %s, IMSI %s.\n\n", sim.ID, sim.IMSI)
	fmt.Fprintf(w, "console     http://%s/   in a browser; sign in with the key id and the key:\n", e.Address.API)
	fmt.Fprintf(w, "            %s\n            %s\n", id, secret)
	fmt.Fprintf(w, "relay API   http://%s/v1   with the same key\n", e.Address.API)
	fmt.Fprintf(w, "emulator    http://%s   modem %s\n", e.Address.Control, e.Address.AT)
	fmt.Fprintf(w, "agent       %s status --socket %s\n\n", strings.TrimSuffix(os.Args[0], filepath.Base(os.Args[0]))+"minato-agent", e.Address.Status)
	relay, err := c.Relay()
	if err != nil {
		return err
	}
	defer relay.Close()
	mappings := &access.Mappings{Relay: relay}
	defer func() { err = errors.Join(err, mappings.Close(ctx)) }()
	duration := 28800 // seconds: as long as the relay allows
	for _, s := range upServices {
		m, err := mappings.Make(ctx, relayapi.CreatePortMappingRequest{
			Destination: relayapi.Destination{SIMID: sim.ID, Port: s.port}, TLSRequired: s.tls, Duration: &duration, Source: &relayapi.Source{IPRanges: []string{"127.0.0.0/8"}},
		})
		if err != nil {
			return err
		}
		option := "OFF"
		if s.tls {
			option = "ON"
		}
		fmt.Fprintf(w, "%-11s device port %d, TLS option %s\n            %s\n", s.name, s.port, option, s.use(m, ca, e.SSHKey.File))
	}
	host, err := e.HostKey()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "            its host key is %s\n", ssh.FingerprintSHA256(host))
	fmt.Fprintf(w, "\nfield check %s check --relay http://%s --key-file %s --ca %s --sim %s\n", os.Args[0], e.Address.API, e.KeyFile(), ca, sim.ID)
	fmt.Fprint(w, "\nThe mappings last 8 hours. Press Ctrl-C to end.\n")
	ctx, stop := e.Context(ctx)
	defer stop()
	<-ctx.Done()
	fmt.Fprintf(w, "\nEnding. The mappings are removed; keys, CA and audit log stay in %s for the next time.\n", e.Dir)
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// claim makes dir and keeps others out of it: a second Up there would fail, but only after it had replaced what the commands of the first name.
// The claim ends with the process, however it ends.
func claim(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w in %s", ErrUp, dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// ErrUp: what Up is to start runs already.
var ErrUp = errors.New("the system is up already")
