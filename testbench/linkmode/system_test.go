package linkmode

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minato/agent"
)

// lanResolver is /etc/resolv.conf as the LAN's DHCP client writes it.
const lanResolver = "search home.example\nnameserver 192.168.77.1\n"

// startSystem makes the namespaces a device on a LAN: an /etc of its own, loopback, a LAN with the default route and a name server.
func startSystem(t *testing.T) {
	t.Helper()
	etc := t.TempDir()
	privateMounts(t)
	for _, name := range []string{"passwd", "group", "shadow", "ssl", "protocols", "services"} {
		if _, err := os.Stat("/etc/" + name); err == nil {
			run(t, "cp", "-a", "/etc/"+name, etc)
		}
	}
	write(t, filepath.Join(etc, "hosts"), "127.0.0.1 localhost\n", 0o644)
	write(t, filepath.Join(etc, "nsswitch.conf"), "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n", 0o644)
	write(t, filepath.Join(etc, "resolv.conf"), lanResolver, 0o644)
	if err := syscall.Mount(etc, "/etc", "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount("/etc", syscall.MNT_DETACH) })
	for _, line := range []string{
		"link set lo up",
		"link add lan0 type veth peer name lan1", "link set lan0 up", "link set lan1 up",
		"addr add 192.168.77.2/24 dev lan0", "route add default via 192.168.77.1 dev lan0 metric 202",
	} {
		run(t, "ip", strings.Fields(line)...)
	}
}

// privateMounts keeps what is mounted in the namespace there.
func privateMounts(t *testing.T) {
	t.Helper()
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
}

// system is what the agent must leave as it found it.
func system(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		t.Fatal(err)
	}
	return run(t, "ip", "-4", "route", "show", "table", "all") + run(t, "ip", "rule") + run(t, "ip", "-4", "-brief", "addr") + run(t, "ip", "-brief", "link") + string(b)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// program builds minato-agent.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "minato-agent")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "minato/agent/cmd/minato-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the agent: %v\n%s", err, out)
	}
	return path
}

// A process is a running minato-agent.
type process struct {
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	ended  bool
}

// startAgent starts one, which is online when it returns.
func startAgent(t *testing.T, path, config, socket string) (*process, agent.Status) {
	t.Helper()
	p := &process{cmd: exec.Command(path, "run", "-c", config), stderr: new(bytes.Buffer)}
	p.cmd.Stderr = p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !p.ended {
			p.end(syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("the agent:\n%s", p.stderr)
		}
	})
	var s agent.Status
	await(t, "the agent to be online", func() (bool, error) {
		var err error
		s, err = agent.NewClient(socket).Status(t.Context())
		return err == nil && s.State == agent.StateOnline, err
	})
	return p, s
}

// end sends it a signal and waits for its end.
func (p *process) end(with os.Signal) error {
	p.ended = true
	if err := p.cmd.Process.Signal(with); err != nil {
		return err
	}
	return p.cmd.Wait()
}
