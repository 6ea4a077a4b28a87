package agent

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/proxy"

	"minato/agent/netstack"
	"minato/emulator"
	"minato/emulator/core"
)

// closedNetworkEcho joins a machine to the emulator's closed network that echoes on port 1883.
func closedNetworkEcho(t *testing.T, e *emulator.Emulator) (address string) {
	t.Helper()
	addr := netip.MustParseAddr("100.127.10.10")
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	var host *core.Host
	stack, err := netstack.New(netstack.Config{Addrs: []netip.Addr{addr}, Output: func(packets [][]byte) error {
		for _, p := range packets {
			host.Deliver(p)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if host, err = e.Core().Join(addr, stack.Deliver); err != nil {
		t.Fatal(err)
	}
	running.Go(func() { stack.Run(ctx); host.Leave() })
	l, err := stack.Listen("tcp", ":1883")
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { defer c.Close(); io.Copy(c, c) })
		}
	})
	return netip.AddrPortFrom(addr, 1883).String()
}

// A forward and the SOCKS5 port reach a listener of the closed network through a link as a poor cell has it: slow, late and lossy. A
// second client than the one that is allowed is refused, and the log says so once.
func TestGatewaysThroughAShapedLink(t *testing.T) {
	t.Parallel()
	e, stop, err := emulator.Start(emulator.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	to := closedNetworkEcho(t, e)
	shape := core.Shape{
		Up:   core.Line{Rate: 512_000, Latency: 40 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.01},
		Down: core.Line{Rate: 1_000_000, Latency: 40 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.01},
	}
	if err := e.Core().SetShape(core.DefaultSubscriber(0).SIMID, shape); err != nil {
		t.Fatal(err)
	}
	cfg := config(e.Modem(0).ATPath(), echoServer(t))
	cfg.Modem.PPPPort = e.Modem(0).PPPPath()
	cfg.Probe.Timeout, cfg.Network.EchoInterval = 20*time.Second, 20*time.Second
	cfg.Services[0].MaxConnections = 1
	cfg.Forwards = []ForwardConfig{{Listen: freePort(t), To: to, MaxConnections: 1}}
	cfg.SOCKS.Listen = freePort(t)
	r := start(t, cfg)
	<-r.Ready()
	await(t, func() bool { s := r.Status(); return s.Forwards[0].Up && s.Forwards[1].Up })

	forwarded, err := net.Dial("tcp", cfg.Forwards[0].Listen)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, forwarded)
	refused(t, "forward", func() (net.Conn, error) { return net.Dial("tcp", cfg.Forwards[0].Listen) })
	refused(t, "forward", func() (net.Conn, error) { return net.Dial("tcp", cfg.Forwards[0].Listen) })
	forwarded.Close()

	d, err := proxy.SOCKS5("tcp", cfg.SOCKS.Listen, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, c)
	c.Close()

	dial := func() (net.Conn, error) { return e.Core().DialSIM(t.Context(), core.DefaultSubscriber(0).SIMID, 7) }
	served, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, served)
	refused(t, "service", dial)
	refused(t, "service", dial)
	served.Close()
	if s := r.Status(); s.Services[0].Refused != 2 || s.Forwards[0].Refused != 2 {
		t.Errorf("services %+v, forwards %+v", s.Services, s.Forwards)
	}
	r.stop()
	var lines []string
	for _, w := range r.log.warnings() {
		if strings.Contains(w, "no more connections") {
			lines = append(lines, w)
		}
	}
	if len(lines) != 2 || !strings.Contains(lines[0], "forward="+cfg.Forwards[0].Listen) || !strings.Contains(lines[1], "service=echo service_port=7 max_connections=1 client=100.127.0.1:") {
		t.Errorf("log lines %q", lines)
	}
}

// roundTrip sends 64 KiB and wants them back.
func roundTrip(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	data := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	sent := make(chan error, 1)
	go func() { _, err := c.Write(data); sent <- err }()
	back := make([]byte, len(data))
	_, err := io.ReadFull(c, back)
	if serr := <-sent; err != nil || serr != nil || !bytes.Equal(back, data) {
		t.Fatalf("%d octets did not come back as they were sent: %v, %v", len(data), serr, err)
	}
}

// refused wants a connection that is reset, be it while it is made or afterwards.
func refused(t *testing.T, what string, dial func() (net.Conn, error)) {
	t.Helper()
	c, err := dial()
	if err != nil {
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	if _, err := c.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("a second client of the %s: %v, want a reset", what, err)
	}
}
