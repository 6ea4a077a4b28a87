package stock

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minato/testbench/env"
)

// TestClients runs the programs that people have against the whole system: client, relay, closed network, PPP, agent, service. Each goes
// through the relay with the TLS option ON and OFF, in the way that makes sense for it: what knows no TLS has stunnel before an ON
// mapping, what has TLS of its own takes an OFF one. One system serves them all.
func TestClients(t *testing.T) {
	s := startSystem(t)
	for _, client := range []struct {
		name string
		run  func(*testing.T, *system)
	}{
		{"curl", testCurl},
		{"WebSocket", testWebSocket},
		{"openssl", testOpenSSL},
		{"stunnel", testStunnel},
		{"OpenSSH", testOpenSSH},
		{"mbpoll", testMbpoll},
		{"TigerVNC viewer", testViewer},
		{"FreeRDP", testFreeRDP},
	} {
		t.Run(client.name, func(t *testing.T) { client.run(t, s) })
	}
}

// Ports of the device.
const (
	portSSH    = 22
	portHTTP   = 80
	portHTTPS  = 443
	portModbus = 502
	portRDP    = 3389
	portVNC    = 5900
)

// system is the running system, and the doors into it.
type system struct {
	*env.Env
	ctx context.Context
	log *lockedBuffer // of all parts
	ca  string        // file with the relay's root certificate

	off    map[int]*env.Mapping // by device port, TLS option OFF
	on     map[int]*env.Mapping // TLS option ON
	tunnel map[int]string       // HOST:PORT of stunnel in front of the ON mapping
	plain  string               // HOST:PORT of stunnel in front of the OFF mapping to HTTPS
	rdp    *rdpHost
}

func startSystem(t *testing.T) *system {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 3*patience, errors.New("the clients took too long"))
	t.Cleanup(cancel)
	s := &system{
		ctx: ctx, log: &lockedBuffer{},
		off: map[int]*env.Mapping{}, on: map[int]*env.Mapping{}, tunnel: map[int]string{},
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the system said:\n%s", s.log.tail(16<<10))
		}
	})
	s.rdp = startRDPHost(t)
	var err error
	s.Env, err = env.Start(s.ctx, env.Config{
		Dir: shortDir(t), Logger: slog.New(slog.NewTextHandler(s.log, nil)),
		Services: []env.Service{{Name: "rdp", Port: portRDP, Addr: s.rdp.addr}},
	})
	need(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := s.Client(0)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := client.API.CA(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.ca = s.file(t, "ca.pem", pem)
	mapTo := func(port int, tls bool) *env.Mapping {
		m, err := client.Map(s.ctx, port, env.MapOptions{TLS: tls, Sources: []string{"127.0.0.0/8"}})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, port := range []int{portHTTP, portHTTPS, portModbus, portVNC, portSSH, portRDP} {
		s.off[port] = mapTo(port, false)
	}
	for _, port := range []int{portHTTP, portModbus, portVNC, portSSH} {
		s.on[port] = mapTo(port, true)
	}
	s.startStunnel(t)
	return s
}

// startStunnel opens a tunnel to each ON mapping, and to the OFF mapping of what speaks TLS itself.
func (s *system) startStunnel(t *testing.T) {
	t.Helper()
	var conf strings.Builder
	fmt.Fprintf(&conf, "foreground = yes\nsyslog = no\nCAfile = %s\n", s.ca)
	section := func(name string, m *env.Mapping, check string) string {
		accept := freePort(t)
		fmt.Fprintf(&conf, "[%s]\nclient = yes\naccept = %s\nconnect = %s\n%s", name, accept, m.Endpoint, check)
		return accept
	}
	for port, m := range s.on {
		s.tunnel[port] = section(fmt.Sprint(port), m, "verifyChain = yes\ncheckHost = "+m.Hostname+"\n")
	}
	s.plain = section("https", s.off[portHTTPS], "")
	start(t, exec.Command(tool(t, "stunnel", "stunnel4"), s.file(t, "stunnel.conf", []byte(conf.String()))))
	for _, address := range append(values(s.tunnel), s.plain) {
		awaitPort(t, s.ctx, address)
	}
}

func values(m map[int]string) (out []string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// file writes a file beside the system's own.
func (s *system) file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// command is a program that ends with the test, in the system's directory.
func (s *system) command(t *testing.T, program, debianPackage string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(s.ctx, tool(t, program, debianPackage), args...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "HOME="+s.Dir)
	cmd.WaitDelay = env.StopTimeout
	return cmd
}

// output runs a program that must succeed, and gives what it printed.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", strings.Join(cmd.Args, " "), err, errs.String(), out)
	}
	return string(out)
}

func freePort(t *testing.T) string {
	t.Helper()
	address, err := env.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func awaitPort(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	await(t, ctx, "a listener on "+address, func() (bool, error) {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false, err
		}
		return true, c.Close()
	})
}

// noise is n bytes that nothing compresses.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// exitStatus of a program that ran.
func exitStatus(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return 0
}
