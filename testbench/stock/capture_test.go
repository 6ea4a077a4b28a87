package stock

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/proxy"

	"minato/agent"
	"minato/testbench"
	"minato/testbench/check"
	"minato/testbench/env"
	"minato/testbench/report"
)

// TestScenarioCaptures runs the scenarios whose internet side is captured, and has tshark read what they leave.
func TestScenarioCaptures(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs scenarios")
	}
	tshark := tool(t, "tshark", "tshark")
	jobs, err := testbench.Jobs()
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		if j.Net != env.Userspace {
			continue
		}
		t.Run(j.Name, func(t *testing.T) {
			dir := t.TempDir()
			result := testbench.RunJob(within(t), j, dir, nil, false)
			switch result.Status {
			case report.Fail:
				t.Fatal(result.Err)
			case report.Skip: // never under CI=true
				t.Skip(result.Err)
			}
			captures, err := filepath.Glob(filepath.Join(dir, "*.pcapng"))
			if err != nil || len(captures) == 0 {
				t.Fatalf("the scenario left no capture (%v)", err)
			}
			for _, c := range captures {
				expectWellFormed(t, tshark, c)
			}
		})
	}
}

// TestEmulatorCapture: what minato-emulator run --pcap --pcap-ppp writes is whole when the program was asked to end.
func TestEmulatorCapture(t *testing.T) {
	tshark := tool(t, "tshark", "tshark")
	program := built.emulator(t) // which takes its own time
	ctx := within(t)
	dir := shortDir(t)
	packets, frames := filepath.Join(dir, "packets.pcapng"), filepath.Join(dir, "frames.pcapng")
	control, err := env.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	door, err := env.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, program, "run", "--dir", dir, "--control", control, "--socks", door, "--pcap", packets, "--pcap-ppp", frames)
	said := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = env.StopTimeout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // received at the test's end
	end := func() error {
		cmd.Process.Signal(syscall.SIGTERM)
		err := <-ended
		ended <- nil
		return err
	}
	t.Cleanup(func() { end() })
	await(t, ctx, "the emulator's ports", func() (bool, error) { return strings.Contains(said.String(), "modem0"), nil })

	useServices(t, ctx, dir, door, control)
	if err := end(); err != nil {
		t.Fatalf("minato-emulator: %v\n%s", err, said)
	}
	expectWellFormed(t, tshark, packets)
	expectWellFormed(t, tshark, frames)
	seen, err := exec.CommandContext(ctx, tshark, "-r", frames, "-T", "fields", "-e", "frame.protocols").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{"lcp", "chap", "ipcp", "ip:tcp"} {
		if !strings.Contains(string(seen), ":"+protocol) {
			t.Errorf("tshark sees no %s in the frames", protocol)
		}
	}
}

// useServices puts an agent on modem 0 and uses each of its services through the network's door.
func useServices(t *testing.T, ctx context.Context, dir, door, control string) {
	t.Helper()
	services := map[string]agent.ServiceConfig{
		"http":   {Port: 80, Target: "builtin:http"},
		"modbus": {Port: 502, Target: "builtin:modbus"},
		"vnc":    {Port: 5900, Target: "builtin:vnc"},
	}
	cfg := agent.Config{Modem: agent.ModemConfig{Port: filepath.Join(dir, "modem0", "at"), PPPPort: filepath.Join(dir, "modem0", "ppp")}}
	for _, s := range services {
		cfg.Services = append(cfg.Services, s)
	}
	a, err := agent.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	actx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.Run(actx) }() // waited for below
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("agent: %v", err)
		}
	}()
	select {
	case <-a.Ready():
	case <-ctx.Done():
		t.Fatal("waiting for the agent: ", context.Cause(ctx))
	}
	var sims []struct {
		ID string `json:"simId"`
	}
	call(t, "http://"+control, "GET", "/v1/sims", nil, &sims)
	for name, s := range services {
		result, err := check.Funcs[name](ctx, dialThrough(t, door, sims[0].ID, s.Port), check.Options{})
		if err != nil {
			t.Errorf("%s: %v\n%v", name, err, result.Log)
		}
		t.Logf("%s: %s in %s", name, result.Summary, result.Duration)
	}
}

// dialThrough dials a SIM's port through a SOCKS5 door.
func dialThrough(t *testing.T, door, sim string, port int) check.Dial {
	t.Helper()
	d, err := proxy.SOCKS5("tcp", door, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	target := net.JoinHostPort(sim+".sim", strconv.Itoa(port))
	return func(ctx context.Context) (net.Conn, error) {
		return d.(proxy.ContextDialer).DialContext(ctx, "tcp", target)
	}
}

// retransmitted is what tshark says of a TCP segment that was sent again, cut in another way, in the middle of a longer message: on a loaded machine
// that happens, and is what TCP is for. Data that differs is told otherwise.
const retransmitted = "[Reassembly error, protocol TCP: New fragment overlaps old data (retransmission?)]"

// firstChancePort begins the ports that the relay, tests and clients get by chance.
const firstChancePort = 10000

// chanceProtocols are options with which tshark takes none of the ports that come by chance for those of the protocols that have them elsewhere: of what
// is spoken here it would say, about one run in a hundred, that it is malformed EtherCAT, BACnet or the like. What it knows by the first bytes stays.
var chanceProtocols = sync.OnceValues(func() ([]string, error) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		return nil, err
	}
	table, err := exec.Command(tshark, "-G", "decodes").Output()
	if err != nil {
		return nil, err
	}
	var options []string
	seen := map[string]bool{"dns": true, "http": true, "ssh": true, "tls": true} // spoken here, on any port
	for line := range strings.Lines(string(table)) {
		fields := strings.Split(strings.TrimSpace(line), "\t") // table, port, protocol
		if len(fields) != 3 || fields[0] != "tcp.port" && fields[0] != "udp.port" {
			continue
		}
		port, err := strconv.Atoi(fields[1])
		if err == nil && port >= firstChancePort && !seen[fields[2]] {
			seen[fields[2]] = true
			options = append(options, "--disable-protocol", fields[2])
		}
	}
	if len(options) == 0 {
		return nil, errors.New("tshark -G decodes names no protocol of a high port")
	}
	return options, nil
})

// expectWellFormed has tshark read a capture to its end: there are packets, and it finds none malformed.
func expectWellFormed(t *testing.T, tshark, capture string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	options, err := chanceProtocols()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-r", capture, "-T", "fields", "-E", "separator=/t", "-e", "frame.number", "-e", "frame.protocols", "-e", "_ws.malformed"}, options...)
	cmd := exec.CommandContext(ctx, tshark, args...)
	var said strings.Builder
	cmd.Stderr = &said
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil { // also for a file that is cut short
		t.Fatalf("tshark: %v\n%s", err, said.String())
	}
	packets := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.SplitN(strings.TrimRight(line, "\n"), "\t", 3) // number, protocols, what is malformed
		packets++
		if len(fields) != 3 || fields[2] != "" && !strings.HasPrefix(fields[2], retransmitted) {
			t.Errorf("%s: packet malformed: %q", filepath.Base(capture), fields)
		}
	}
	if packets == 0 {
		t.Errorf("%s holds no packets", filepath.Base(capture))
	}
	t.Logf("%s: %d packets", filepath.Base(capture), packets)
}
