package bench

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"minato/agent/atline"
	"minato/agent/netstack"
	"minato/agent/ppp"
	"minato/agent/tty"
	"minato/emulator"
)

// line is a device with its link up: the emulator on one side of the PTY, the agent's port, AT line, PPP and stack on the other.
type line struct {
	emulator *emulator.Emulator
	device   *netstack.Stack
	addr     netip.Addr
}

// newLine builds it and takes it down at the end of the benchmark.
func newLine(b *testing.B) *line {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	b.Cleanup(func() { cancel(); wg.Wait() })
	run := func(name string, f func(context.Context) error) {
		wg.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				b.Errorf("%s: %v", name, err)
			}
		})
	}
	e, err := emulator.New(emulator.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	run("emulator", e.Run)
	await(b, e.Ready())

	port, err := tty.Open(tty.Config{Path: e.Modem(0).PPPPath()})
	if err != nil {
		b.Fatal(err)
	}
	at := atline.New(port, atline.Config{})
	b.Cleanup(func() { cancel(); at.Close() })
	for _, cmd := range []string{"E0", `+CGDCONT=1,"IP","soracom.io"`} {
		if _, err := at.Command(ctx, cmd); err != nil {
			b.Fatal(err)
		}
	}
	for registered := false; !registered; {
		info, err := at.Command(ctx, "+CEREG?")
		if err != nil {
			b.Fatal(err)
		}
		registered = strings.HasSuffix(strings.Join(info, ""), ",1")
	}
	data, _, err := at.Connect(ctx, "D*99***1#")
	if err != nil {
		b.Fatal(err)
	}
	link := ppp.New(data, ppp.Config{User: "sora", Password: "sora"})
	run("PPP", link.Run)
	await(b, link.Ready())
	params := link.Params()
	device, err := netstack.New(netstack.Config{Addrs: []netip.Addr{params.Local}, MTU: params.MTU, Output: link.WritePackets})
	if err != nil {
		b.Fatal(err)
	}
	link.Attach(device.Gather, device.Flush)
	run("stack", device.Run)
	await(b, device.Ready())
	return &line{emulator: e, device: device, addr: params.Local}
}

func await(b *testing.B, ready <-chan struct{}) {
	b.Helper()
	select {
	case <-ready:
	case <-time.After(10 * time.Second):
		b.Fatal("not ready after 10 s")
	}
}

// connect makes a TCP connection from the network's side to the device's.
func (l *line) connect(b *testing.B) (network, device net.Conn) {
	b.Helper()
	listener, err := l.device.Listen("tcp", ":9")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	network, err = l.emulator.Core().DialSIM(context.Background(), l.emulator.Core().Subscribers()[0].SIMID, 9)
	if err != nil {
		b.Fatal(err)
	}
	if device, err = listener.Accept(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { network.Close(); device.Close() })
	return network, device
}

// rawPTY is the same kind of PTY with nothing but a copy on it.
func rawPTY(b *testing.B) (master *os.File, slave *tty.Port) {
	b.Helper()
	master, opened, err := pty.Open()
	if err != nil {
		b.Fatal(err)
	}
	slave, err = tty.Open(tty.Config{Path: opened.Name()}) // sets raw mode
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { master.Close(); slave.Close(); opened.Close() })
	return master, slave
}

// transfer writes n bytes in pieces and reads them in others, and tells how long it took and what processor time it cost.
func transfer(b *testing.B, w io.Writer, r io.Reader, payload []byte, n, writeSize, readSize int) cost {
	b.Helper()
	cpu, started := cpuTime(), time.Now()
	sent := make(chan error, 1)
	go func() {
		for left := n; left > 0; {
			piece := min(left, writeSize)
			at := (n - left) % (len(payload) - writeSize)
			if _, err := w.Write(payload[at : at+piece]); err != nil {
				sent <- err
				return
			}
			left -= piece
		}
		sent <- nil
	}()
	buf := make([]byte, readSize)
	for got := 0; got < n; {
		m, err := r.Read(buf)
		if err != nil {
			b.Fatalf("reading after %d bytes: %v", got, err)
		}
		got += m
	}
	if err := <-sent; err != nil {
		b.Fatal(err)
	}
	return cost{bytes: n, wall: time.Since(started), cpu: cpuTime() - cpu}
}

// cost of a transfer.
type cost struct {
	bytes     int
	wall, cpu time.Duration
}

func (c cost) rate() float64     { return float64(c.bytes) / 1e6 / c.wall.Seconds() } // MB/s
func (c cost) cpuPerGB() float64 { return c.cpu.Seconds() / (float64(c.bytes) / 1e9) }

// cpuTime is what this process has used, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
