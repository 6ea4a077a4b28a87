package core

import (
	"context"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"minato/agent/netstack"
	"minato/agent/ppp"
	"minato/agent/ppp/hdlc"
	"minato/agent/ppp/ppptest"
)

// TestCaptureJudged has tshark read both captures of a device that comes up over PPP, pings, asks a name and talks TCP, with
// nothing malformed in them.
func TestCaptureJudged(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("tshark is needed to judge captures: ", err)
		}
		t.Skip("tshark is not installed, and nothing else judges captures: apt-get install tshark")
	}
	dir := t.TempDir()
	files := map[string]*os.File{"ip": nil, "ppp": nil}
	for name := range files {
		if files[name], err = os.Create(filepath.Join(dir, name+".pcapng")); err != nil {
			t.Fatal(err)
		}
		defer files[name].Close()
	}
	sub := DefaultSubscriber(0)
	c, err := New(Config{
		Subscribers: []Subscriber{sub}, Capture: files["ip"], CapturePPP: files["ppp"],
		Platform: streamService(listenHost(t).Addr().String()),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer wg.Wait()
	defer cancel()
	<-c.Ready()
	pppDevice(t, ctx, &wg, c, sub)
	cancel()
	wg.Wait()

	want := map[string][]string{
		"ip":  {"icmp", "dns", "tcp", "udp"},
		"ppp": {"lcp", "chap", "ipcp", "icmp", "dns", "tcp"},
	}
	for name, protocols := range want {
		out, err := exec.Command(tshark, "-r", files[name].Name(), "-T", "fields", "-E", "separator=;", "-e", "_ws.malformed", "-e", "frame.protocols", "-e", "frame.p2p_dir").Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for line := range strings.Lines(string(out)) {
			if malformed, _, _ := strings.Cut(line, ";"); malformed != "" {
				t.Errorf("%s: %s", name, line)
			}
		}
		for _, p := range protocols {
			if !strings.Contains(string(out), ":"+p) {
				t.Errorf("%s: no %s in\n%s", name, p, out)
			}
		}
	}
}

// pppDevice is a device's life on a line whose frames are told to the network. Its parts end with ctx.
func pppDevice(t *testing.T, ctx context.Context, wg *sync.WaitGroup, c *Core, sub Subscriber) {
	t.Helper()
	octets := c.PPPLine(sub.IMSI, ToDevice)
	line := ppptest.NewLine(func(from ppptest.End, frame []byte) [][]byte {
		if from == ppptest.A {
			c.PPPFrame(sub.IMSI, FromDevice, frame)
		} else {
			octets.Write(hdlc.AppendFrame(nil, ^uint32(0), nil, frame))
		}
		return [][]byte{frame}
	})
	wg.Go(line.Wait)
	if _, err := c.Attach(sub.IMSI, "860000012345678"); err != nil {
		t.Fatal(err)
	}
	var modem *ppp.Conn
	modem = ppp.New(line.Ends[ppptest.B], ppp.Config{Server: &ppp.Server{
		Name: "minato", Auth: ppp.AuthCHAP,
		Activate: func(ctx context.Context, cred ppp.Credentials) (ppp.Lease, error) {
			s, err := c.Activate(ctx, ActivateRequest{IMSI: sub.IMSI, Credentials: cred})
			if err != nil {
				return ppp.Lease{}, err
			}
			modem.Attach(s.Gather, s.Flush)
			s.Attach(modem.WritePackets)
			return s.Lease(), nil
		},
	}})
	wg.Go(func() { modem.Run(ctx) })
	device := ppp.New(line.Ends[ppptest.A], ppp.Config{User: "sora", Password: "sora"})
	wg.Go(func() { device.Run(ctx) })
	select {
	case <-device.Ready():
	case <-testContext(t).Done():
		t.Fatal("PPP did not come up")
	}
	own := device.Params().Local
	host, err := netstack.New(netstack.Config{Addrs: []netip.Addr{own}, Output: device.WritePackets})
	if err != nil {
		t.Fatal(err)
	}
	pong := make(chan struct{}, 1)
	device.Attach(func(p []byte) {
		if p[9] == 1 {
			pong <- struct{}{}
		}
		host.Deliver(p)
	}, nil)
	wg.Go(func() { host.Run(ctx) })
	if err := device.WritePackets([][]byte{ping(own, defaultGateway)}); err != nil {
		t.Fatal(err)
	}
	<-pong
	conn, err := host.DialContext(testContext(t), "udp", "100.127.0.53:53")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	conn.Write(query(t, gatewayName+".", dnsmessage.TypeA, dnsmessage.ClassINET, 0))
	if _, err := conn.Read(make([]byte, 512)); err != nil {
		t.Fatal(err)
	}
	echo(t, host, ":7")
	tcp, err := c.DialSIM(testContext(t), sub.SIMID, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	checkEcho(t, tcp, strings.Repeat("x", 10_000))
}

func TestNoPPPCapture(t *testing.T) {
	c := startCore(t, Config{Subscribers: openSubscribers(1)})
	c.PPPFrame(openSubscriber(0).IMSI, FromDevice, []byte{0xff, 3})
	if w := c.PPPLine(openSubscriber(0).IMSI, FromDevice); w != nil {
		t.Errorf("a line without a capture: %v", w)
	}
}

// failing is a file on a full disk.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

// TestCaptureFails wants the network to go on without its recording.
func TestCaptureFails(t *testing.T) {
	sub := openSubscriber(0)
	c := startCore(t, Config{Subscribers: []Subscriber{sub}, Capture: &failing{left: 1000}, CapturePPP: &failing{left: 1000}})
	s := activate(t, c, sub)
	echo(t, startDevice(t, s), ":7")
	for range 2 {
		conn, err := c.DialSIM(testContext(t), sub.SIMID, 7)
		if err != nil {
			t.Fatal(err)
		}
		checkEcho(t, conn, "hello")
		conn.Close()
		c.PPPFrame(sub.IMSI, ToDevice, make([]byte, 2000))
		if err := c.FlushCapture(); err == nil {
			t.Error("nobody tells that the capture failed")
		}
	}
	if _, err := New(Config{Capture: &failing{}}); err == nil {
		t.Error("a file that takes nothing was taken")
	}
}
