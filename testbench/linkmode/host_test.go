package linkmode

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"minato/agent"
	"minato/emulator"
)

// startHostAgent runs an agent in this process that supervises an interface.
func startHostAgent(t *testing.T, cfg agent.Config) (a *agent.Agent, stop func()) {
	t.Helper()
	var log bytes.Buffer
	var mu sync.Mutex
	cfg.Logger = slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return log.Write(b) }), nil))
	cfg.Link = agent.LinkHost
	cfg.Backoff = agent.BackoffConfig{Min: 10 * time.Millisecond, Max: 100 * time.Millisecond}
	a, err := agent.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("agent: %v", err)
		}
		if t.Failed() {
			t.Logf("the agent:\n%s", &log)
		}
	})
	t.Cleanup(stop)
	return a, stop
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// Each vendor's modem is asked by its own commands, connects, and disconnects when the agent ends.
func TestVendorCommands(t *testing.T) {
	tests := []struct {
		personality string
		beginnings  []string
		want        []string
	}{
		{"quectel-ec25", []string{"AT+QNETDEVCTL="}, []string{"AT+QNETDEVCTL=1,1,1", "AT+QNETDEVCTL=0,1"}},
		{"simcom-sim7600", []string{"AT$QCRMCALL="}, []string{"AT$QCRMCALL=1,1", "AT$QCRMCALL=0,1"}},
		{"simcom-sim7080", []string{"AT+CNCFG=", "AT+CNACT="}, []string{`AT+CNCFG=0,1,"soracom.io","sora","sora",2`, "AT+CNACT=0,1", "AT+CNACT=0,0"}},
		{"ublox-lara-r6", []string{"AT+UCEDATA="}, []string{"AT+UCEDATA=1,0"}}, // it goes with the context
		{"huawei-ms2372", []string{"AT^NDISDUP="}, []string{`AT^NDISDUP=1,1,"soracom.io","sora","sora",2`, "AT^NDISDUP=1,0"}},
	}
	for _, tt := range tests {
		t.Run(tt.personality, func(t *testing.T) {
			e := startEmulator(t, emulator.Config{Personality: tt.personality})
			line := startTap(t, e.Modem(0).SocketPath())
			a, stop := startHostAgent(t, agent.Config{
				Modem: agent.ModemConfig{Port: line.path}, Host: agent.HostConfig{Interface: "lo"}, Probe: agent.ProbeConfig{Target: "none"},
			})
			select {
			case <-a.Ready():
			case <-time.After(patience):
				t.Fatalf("not online: %+v", a.Status())
			}
			if !e.Core().Subscribers()[0].Online {
				t.Error("the modem is not connected")
			}
			if got := a.Status().DNS; len(got) == 0 || got[0].String() != "100.127.0.53" {
				t.Errorf("name servers %v", got)
			}
			stop() // which waits for the modem's answer for some seconds
			await(t, "the modem to be disconnected", func() (bool, error) { return !e.Core().Subscribers()[0].Online, nil })
			if diff := cmp.Diff(tt.want, line.commands(tt.beginnings...)); diff != "" {
				t.Errorf("commands (-want +got)\n%s", diff)
			}
		})
	}
}

// With connect: off the modem is only looked at.
func TestConnectOff(t *testing.T) {
	e := startEmulator(t, emulator.Config{})
	line := startTap(t, e.Modem(0).SocketPath())
	a, stop := startHostAgent(t, agent.Config{
		Modem: agent.ModemConfig{Port: line.path}, Host: agent.HostConfig{Interface: "lo", Connect: "off"}, Probe: agent.ProbeConfig{Target: "none"},
	})
	<-a.Ready()
	stop()
	if got := line.commands("AT+QNETDEVCTL=", "ATD"); len(got) > 0 {
		t.Errorf("sent %q", got)
	}
}

// TestHost has a veth as the modem's interface: the address appears when the network has given the modem one, as a DHCP client makes it
// appear; the service is reached by this interface alone; a lost address and a link that carries nothing are noticed and cured.
//
//	device (this namespace)             namespace "modem"
//	wwan0  10.128.0.x  ---------------- net0  100.127.0.1, 100.127.0.53 (a name server)
//	lan0   192.168.77.2 --------------- namespace "lan", 192.168.77.1
func TestHost(t *testing.T) {
	tool(t, "ip", "iproute2")
	if !inside(t) {
		return
	}
	e := startEmulator(t, emulator.Config{})
	privateMounts(t)
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", "/run/netns", "tmpfs", 0, ""); err != nil { // other tests make namespaces, too
		t.Fatal(err)
	}
	ip := func(line string) { t.Helper(); run(t, "ip", strings.Fields(line)...) }
	for _, line := range []string{
		"link set lo up", "netns add modem", "netns add lan",
		"link add wwan0 type veth peer name net0 netns modem", "link set wwan0 up",
		"-n modem link set net0 up", "-n modem addr add 100.127.0.1/32 dev net0", "-n modem addr add 100.127.0.53/32 dev net0", "-n modem route add 10.128.0.0/9 dev net0",
		"link add lan0 type veth peer name lan1 netns lan", "link set lan0 up", "addr add 192.168.77.2/24 dev lan0",
		"-n lan link set lan1 up", "-n lan addr add 192.168.77.1/24 dev lan1", "-n lan route add 10.128.0.0/9 via 192.168.77.2",
	} {
		ip(line)
	}
	startNameServer(t, "modem", netip.MustParseAddrPort("100.127.0.53:53"))
	line := startTap(t, e.Modem(0).SocketPath())
	stopEcho := startEcho(t, "127.0.0.1:7777")
	defer stopEcho()

	a, stop := startHostAgent(t, agent.Config{
		Modem:    agent.ModemConfig{Port: line.path},
		Host:     agent.HostConfig{Interface: "wwan0"},
		Services: []agent.ServiceConfig{{Name: "echo", Port: 7, Target: "tcp://127.0.0.1:7777"}},
		Probe:    agent.ProbeConfig{Interval: time.Second, Timeout: 2 * time.Second, Failures: 2},
	})
	session := func() string {
		s := e.Core().Subscribers()[0]
		if !s.Online {
			return ""
		}
		return s.Session.Addr.String()
	}
	// dhcp does what the system's DHCP client does once the modem is connected.
	dhcp := func() (address string) {
		t.Helper()
		await(t, "the modem to be connected", func() (bool, error) { address = session(); return address != "", nil })
		ip("addr replace " + address + "/32 dev wwan0")
		ip("route replace 100.127.0.0/16 dev wwan0")
		return address
	}
	online := func(address string) {
		t.Helper()
		await(t, "the agent to be online", func() (bool, error) {
			s := a.Status()
			if s.State != agent.StateOnline || s.Probe == nil || s.Probe.Missed > 0 || s.Probe.RTT == 0 {
				return false, fmt.Errorf("%v, probe %+v, failure %+v", s.State, s.Probe, s.Failure)
			}
			return s.Address.String() == address, nil
		})
	}

	address := dhcp()
	online(address)
	if got := line.commands("AT+QNETDEVCTL="); len(got) != 1 || got[0] != "AT+QNETDEVCTL=1,1,1" {
		t.Errorf("the modem was asked by %q", got)
	}
	echo := func(namespace, to string) error {
		c, err := dialIn(t, namespace, to)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		io.WriteString(c, "hello")
		c.(*net.TCPConn).CloseWrite()
		got, err := io.ReadAll(c)
		if err == nil && string(got) != "hello" {
			err = fmt.Errorf("echo %q", got)
		}
		return err
	}
	if err := echo("modem", address+":7"); err != nil {
		t.Errorf("from the closed network: %v", err)
	}
	for _, to := range []string{address + ":7", "192.168.77.2:7"} {
		if err := echo("lan", to); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("from the LAN to %s: %v, want a refusal", to, err)
		}
	}

	// The lease ends: the modem is connected anew.
	ip("addr flush dev wwan0")
	await(t, "the modem to be asked again", func() (bool, error) { return len(line.commands("AT+QNETDEVCTL=")) >= 3, nil })
	if f := a.Status().Failure; f == nil || f.Code != agent.DeadLink || !strings.Contains(f.Message, "lost its address") {
		t.Errorf("failure %+v", f)
	}
	online(dhcp())

	// Nothing comes through any more.
	ip("-n modem addr del 100.127.0.53/32 dev net0")
	await(t, "the dead link to be noticed", func() (bool, error) {
		s := a.Status()
		return s.Failures[agent.DeadLink] >= 2 && s.Failure != nil && strings.Contains(s.Failure.Message, "no answer from the closed network"), nil
	})
	ip("-n modem addr add 100.127.0.53/32 dev net0")
	online(dhcp())

	stop()
	await(t, "the modem to be disconnected", func() (bool, error) { return session() == "", nil })
	asked := line.commands("AT+QNETDEVCTL=")
	if asked[len(asked)-1] != "AT+QNETDEVCTL=0,1" {
		t.Errorf("at the end the modem was asked by %q", asked)
	}
}

// within runs f with the sockets of a network namespace.
func within(t *testing.T, namespace string, f func() error) error {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		ns, err := os.Open("/run/netns/" + namespace)
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

func dialIn(t *testing.T, namespace, to string) (c net.Conn, err error) {
	t.Helper()
	err = within(t, namespace, func() (err error) {
		c, err = net.DialTimeout("tcp", to, patience)
		return err
	})
	return c, err
}

// startNameServer answers every query by REFUSED.
func startNameServer(t *testing.T, namespace string, at netip.AddrPort) {
	t.Helper()
	var conn *net.UDPConn
	if err := within(t, namespace, func() (err error) {
		conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 512)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if n >= 12 {
				b[2], b[3] = b[2]|0x80, 5 // RFC 1035, 4.1.1
				conn.WriteToUDPAddrPort(b[:n], from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
}
