package emulator

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	proxyproto "github.com/pires/go-proxyproto"

	"minato/agent/ppp"
	"minato/emulator/ttytest"
)

// TestPlatform has a device on a modem's port call a TCP and a UDP service of this machine, which are told who calls, and ask the network's
// DNS for their name.
func TestPlatform(t *testing.T) {
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	datagrams, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer datagrams.Close()
	var file File
	file.Platform = []string{
		"beam.soracom.io@100.127.127.100:8888/tcp=" + stream.Addr().String(),
		"100.127.127.100:8888/udp=" + datagrams.LocalAddr().String(),
	}
	cfg, err := file.Config()
	if err != nil {
		t.Fatal(err)
	}
	e := start(t, cfg)
	u := dialTone(t, e, 0)
	u.AT("ATD*99***1#")
	l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
	p := l.Await()
	stack, stop := device(t, l)
	defer func() { stop(); l.Stop(); l.End() }()
	ctx, cancel := context.WithTimeout(t.Context(), 2*ttytest.Patience)
	defer cancel()

	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return stack.DialContext(ctx, "udp", netip.AddrPortFrom(p.DNS[0], 53).String())
	}}
	if got, err := resolver.LookupNetIP(ctx, "ip4", "beam.soracom.io"); err != nil || len(got) != 1 || got[0].Unmap().String() != "100.127.127.100" {
		t.Errorf("the name gave %v, %v", got, err)
	}
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			conn, err := stack.DialContext(ctx, network, "100.127.127.100:8888")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			deadline, _ := ctx.Deadline()
			conn.SetDeadline(deadline)
			if _, err := io.WriteString(conn, "hello"); err != nil {
				t.Fatal(err)
			}
			var header *proxyproto.Header
			var said string
			if network == "tcp" {
				header, said = answerStream(t, stream, deadline)
			} else {
				header, said = answerDatagram(t, datagrams, deadline)
			}
			if header.Version != 2 || header.SourceAddr.String() != conn.LocalAddr().String() || header.DestinationAddr.String() != "100.127.127.100:8888" {
				t.Errorf("header %+v, the device is %v", header, conn.LocalAddr())
			}
			if device, _ := netip.ParseAddrPort(header.SourceAddr.String()); device.Addr() != p.Local {
				t.Errorf("the service is told %v, the modem has %v", device.Addr(), p.Local)
			}
			answer := make([]byte, 16)
			if n, err := conn.Read(answer); said != "hello" || string(answer[:n]) != "welcome" || err != nil {
				t.Errorf("the service heard %q, the device %q, %v", said, answer[:n], err)
			}
		})
	}
}

// answerStream takes one connection and says welcome to hello.
func answerStream(t *testing.T, l net.Listener, deadline time.Time) (*proxyproto.Header, string) {
	t.Helper()
	l.(*net.TCPListener).SetDeadline(deadline)
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(deadline)
	r := bufio.NewReader(conn)
	header, err := proxyproto.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 5)
	if _, err := io.ReadFull(r, said); err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "welcome")
	return header, string(said)
}

func answerDatagram(t *testing.T, l net.PacketConn, deadline time.Time) (*proxyproto.Header, string) {
	t.Helper()
	l.SetDeadline(deadline)
	buf := make([]byte, 2048)
	n, from, err := l.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(bytes.NewReader(buf[:n]))
	header, err := proxyproto.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	l.WriteTo([]byte("welcome"), from)
	return header, string(said)
}

// TestDeviceToDevice: the network keeps devices apart, unless it is told otherwise.
func TestDeviceToDevice(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		e := start(t, Config{Modems: 2, AllowDeviceToDevice: allowed})
		var lines [2]*ttytest.Link
		for n := range lines {
			u := dialTone(t, e, n)
			u.AT("ATD*99***1#")
			lines[n] = u.PPP(ppp.Config{User: "sora", Password: "sora"})
			lines[n].Await()
		}
		from, stopFrom := device(t, lines[0])
		to, stopTo := device(t, lines[1])
		if _, err := to.Listen("tcp", ":7"); err != nil {
			t.Fatal(err)
		}
		address := netip.AddrPortFrom(lines[1].Conn.Params().Local, 7).String()
		ctx, cancel := context.WithTimeout(t.Context(), ttytest.Patience)
		dialled := make(chan error, 1)
		go func() { // ends with ctx
			conn, err := from.DialContext(ctx, "tcp", address)
			if err == nil {
				conn.Close()
			}
			dialled <- err
		}()
		if allowed {
			if err := <-dialled; err != nil {
				t.Errorf("from device to device: %v", err)
			}
			cancel()
		} else {
			for tick := time.Tick(time.Millisecond); e.Core().Subscribers()[0].Session.Isolated == 0 && ctx.Err() == nil; {
				<-tick
			}
			if ctx.Err() != nil {
				t.Error("no packet was kept back")
			}
			cancel()
			if err := <-dialled; err == nil {
				t.Error("a device reached another")
			}
		}
		for n, stop := range []func(){stopFrom, stopTo} {
			stop()
			lines[n].Stop()
			lines[n].End()
		}
	}
}
