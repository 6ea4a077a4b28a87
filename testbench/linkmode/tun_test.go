package linkmode

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"minato/emulator"
	"minato/emulator/core"
)

// TestTUN has ping, curl and ssh of a device's system go through the agent's link, both ways, on a device that is on a LAN as well; and
// wants everything back when the agent has ended: in order, and killed, by the unit's stop step and by the next start.
func TestTUN(t *testing.T) {
	ping, curl := tool(t, "ping", "iputils-ping"), tool(t, "curl", "curl")
	tool(t, "ip", "iproute2")
	tool(t, "sshd", "openssh-server")
	if !inside(t) {
		return
	}
	path := program(t)
	startSystem(t)
	e := startEmulator(t, emulator.Config{})
	dir := t.TempDir()
	config, socket := filepath.Join(dir, "agent.yaml"), filepath.Join(dir, "agent.sock")
	configure := func(link string) {
		write(t, config, fmt.Sprintf(`modem: {port: %q, ppp_port: %q}
link: %s
tun: {dns: file}
services: [{name: page, port: 8080, target: "builtin:http"}]
targets: {name: pump-17}
state_dir: %q
status_socket: %q
`, e.Modem(0).ATPath(), e.Modem(0).PPPPath(), link, dir, socket), 0o600)
	}
	configure("tun")
	sshd := startSSHD(t)
	startServer(t, e, "127.0.0.1:22")
	before := system(t)

	p, status := startAgent(t, path, config, socket)
	address := status.Address.String()
	t.Log(system(t))

	if got := run(t, "ip", "-6", "-brief", "addr", "show", "dev", "minato0"); strings.TrimSpace(got) != "" {
		t.Errorf("the link has IPv6, which costs data and leads nowhere: %s", got)
	}

	// The LAN keeps its default route; the closed network's ranges go by the link.
	if got := run(t, "ip", "-4", "route", "get", "8.8.8.8"); !strings.Contains(got, "dev lan0") {
		t.Errorf("the Internet is reached by %s", got)
	}
	if got := run(t, "ip", "-4", "route", "get", serverAddr.String()); !strings.Contains(got, "dev minato0") || !strings.Contains(got, "src "+address) {
		t.Errorf("the closed network is reached by %s", got)
	}

	// Out: into the closed network, by address and by a name that its servers know.
	run(t, ping, "-n", "-c", "3", "-i", "0.2", "-w", "60", serverAddr.String())
	if got := run(t, ping, "-c", "1", "-w", "60", "gateway.minato"); !strings.Contains(got, "100.127.0.1") {
		t.Errorf("ping by name: %s", got)
	}
	if got := run(t, curl, "-sS", "--max-time", "60", "http://"+serverAddr.String()+"/"); got != page {
		t.Errorf("curl: %q", got)
	}
	if got := sshd.login(t, serverAddr.String(), "22", "echo $SSH_CONNECTION"); !strings.Contains(got, "127.0.0.1 22") { // the server's port leads there
		t.Errorf("ssh out: %q", got)
	}

	// In: a technician's ssh through the relay to the device's own sshd, and curl to a service of the agent.
	mapping := startRelay(t, e, 22)
	if got := sshd.login(t, mapping.Addr().String(), strconv.Itoa(int(mapping.Port())), "echo $SSH_CONNECTION"); !strings.Contains(got, address+" 22") {
		t.Errorf("ssh in: %q, want a connection to %s, port 22", got, address)
	}
	sim := core.DefaultSubscriber(0).SIMID + ".sim"
	if got := run(t, curl, "-sS", "--max-time", "60", "--proxy", "socks5h://"+e.SOCKSAddr(), "http://"+sim+":8080/"); !strings.Contains(got, "pump-17") {
		t.Errorf("curl to the agent's service: %q", got)
	}
	bulk(t, e)

	// Back: in order.
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	same(t, "the agent's end", before)

	// Back: killed, and then the unit's stop step.
	p, _ = startAgent(t, path, config, socket)
	if out, err := exec.Command(path, "restore", "-c", config).CombinedOutput(); exitStatus(err) != 4 {
		t.Errorf("restore beside a running agent: %v, %s", err, out)
	}
	p.end(syscall.SIGKILL)
	if after := system(t); after == before || !strings.Contains(after, "nameserver 100.127.0.53") || !strings.Contains(after, "lookup 1661") {
		t.Errorf("a killed agent leaves nothing, so that this test proves nothing:\n%s", after)
	}
	run(t, path, "restore", "-c", config)
	same(t, "the stop step", before)

	// Back: killed, and then the next start, even one in another mode.
	p, _ = startAgent(t, path, config, socket)
	p.end(syscall.SIGKILL)
	configure("netstack")
	p, _ = startAgent(t, path, config, socket)
	same(t, "the next start", before)
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
}

// same wants the system as it was.
func same(t *testing.T, when, before string) {
	t.Helper()
	if after := system(t); after != before {
		t.Errorf("after %s:\n%s\nbefore:\n%s", when, after, before)
	}
}

func exitStatus(err error) int {
	if exit, ok := err.(*exec.ExitError); ok {
		return exit.ExitCode()
	}
	return -1
}

// bulk sends more than all buffers hold to a program of the device's system and back, through the network's door: the link has to hold
// back both sides.
func bulk(t *testing.T, e *emulator.Emulator) {
	t.Helper()
	const size = 8 << 20
	echo := startEcho(t, "0.0.0.0:7")
	defer echo()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := e.Core().DialSIM(ctx, core.DefaultSubscriber(0).SIMID, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, size))
		if err == nil {
			err = c.(interface{ CloseWrite() error }).CloseWrite()
		}
		sent <- err
	}()
	n, err := io.Copy(io.Discard, c)
	if serr := <-sent; err != nil || serr != nil || n != size {
		t.Errorf("%d octets of %d came back: %v, %v", n, size, serr, err)
	}
}

// An agent that may not make the interface says what it lacks, and goes on trying quietly.
func TestTUNWithoutPrivileges(t *testing.T) {
	setpriv := tool(t, "setpriv", "util-linux")
	if !inside(t) {
		return
	}
	path := program(t)
	startSystem(t)
	e := startEmulator(t, emulator.Config{})
	dir := t.TempDir()
	config := filepath.Join(dir, "agent.yaml")
	write(t, config, fmt.Sprintf("modem: {port: %q, ppp_port: %q}\nlink: tun\nstate_dir: %q\n", e.Modem(0).ATPath(), e.Modem(0).PPPPath(), dir), 0o600)
	before := system(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, setpriv, "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", path, "run", "-c", config)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	read, writeEnd, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd.Stderr = writeEnd
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writeEnd.Close()
	heard, b := "", make([]byte, 4096)
	for !strings.Contains(heard, "code=A30") {
		n, err := read.Read(b)
		if heard += string(b[:n]); err != nil {
			t.Fatalf("it ended: %s", heard)
		}
	}
	if !strings.Contains(heard, "CAP_NET_ADMIN") || !strings.Contains(heard, "needs a person") {
		t.Errorf("it does not say what it lacks: %s", heard)
	}
	cancel()
	io.Copy(io.Discard, read)
	cmd.Wait()
	same(t, "the refusal", before)
}

// A device whose disk is full, or read-only, has its link all the same: it is the one that somebody must log in to. What a killed agent could
// not note goes with the next link.
func TestTUNWithoutADisk(t *testing.T) {
	tool(t, "ip", "iproute2")
	if !inside(t) {
		return
	}
	path := program(t)
	startSystem(t)
	e := startEmulator(t, emulator.Config{})
	dir := t.TempDir()
	state, config, socket := filepath.Join(dir, "state"), filepath.Join(dir, "agent.yaml"), filepath.Join(dir, "agent.sock")
	write(t, config, fmt.Sprintf("modem: {port: %q, ppp_port: %q}\nlink: tun\ntun: {dns: file}\nstate_dir: %q\nstatus_socket: %q\n",
		e.Modem(0).ATPath(), e.Modem(0).PPPPath(), state, socket), 0o600)
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	mount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("tmpfs", state, "tmpfs", flags, "size=64k"); err != nil {
			t.Fatal(err)
		}
	}
	mount(0)
	t.Cleanup(func() { syscall.Unmount(state, syscall.MNT_DETACH) })
	before := system(t)
	tests := []struct {
		name  string
		spoil func()
		notes bool // a note of an earlier link is there
	}{
		{"full", func() { os.WriteFile(filepath.Join(state, "log"), make([]byte, 1<<20), 0o600) }, false},
		{"read-only", func() { mount(syscall.MS_REMOUNT | syscall.MS_RDONLY) }, false},
		{"read-only, with a note", func() {
			mount(syscall.MS_REMOUNT)
			os.Remove(filepath.Join(state, "log"))
			p, _ := startAgent(t, path, config, socket)
			p.end(syscall.SIGKILL)
			mount(syscall.MS_REMOUNT | syscall.MS_RDONLY)
		}, true},
	}
	for _, tt := range tests {
		tt.spoil()
		if _, err := os.Stat(filepath.Join(state, "agent-network.json")); (err == nil) != tt.notes {
			t.Errorf("%s: a note: %v", tt.name, err)
		}
		p, _ := startAgent(t, path, config, socket)
		p.end(syscall.SIGKILL)
		if got := p.stderr.String(); !strings.Contains(got, "state_dir cannot be written") {
			t.Errorf("%s: not a word of it:\n%s", tt.name, got)
		}
		if after := system(t); !strings.Contains(after, "lookup 1661") {
			t.Errorf("%s: a killed agent leaves nothing, so that this test proves nothing:\n%s", tt.name, after)
		}
		run(t, "ip", "rule", "add", "from", "10.128.99.99", "lookup", "1661", "priority", "1661") // as of one that had another address
		p, _ = startAgent(t, path, config, socket)
		if got := run(t, "ip", "rule"); strings.Count(got, "lookup 1661") != 1 {
			t.Errorf("%s: beside the rule of the link there are others:\n%s", tt.name, got)
		}
		if err := p.end(syscall.SIGTERM); err != nil {
			t.Errorf("%s: SIGTERM: %v", tt.name, err)
		}
		same(t, tt.name, before)
	}
}
