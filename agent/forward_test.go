package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pires/go-proxyproto"
	"golang.org/x/net/proxy"
)

// networkEcho echoes on the closed network's side of a link.
func networkEcho(t *testing.T, f *fakeModem, port uint16) string {
	t.Helper()
	address := netip.AddrPortFrom(gatewayAddr, port).String()
	l, err := f.network().Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.Copy(c, c)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return address
}

// freePort is a port of a loopback address of this process' own, where no other test takes it meanwhile.
func freePort(t *testing.T) string {
	t.Helper()
	pid := os.Getpid()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.77:0", 1+pid>>8&0x7f, pid&0xff))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func talk(t *testing.T, c net.Conn) {
	t.Helper()
	defer c.Close()
	io.WriteString(c, "hello")
	c.(interface{ CloseWrite() error }).CloseWrite()
	if got, err := io.ReadAll(c); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestForwards(t *testing.T) {
	f := newFakeModem(t, nil)
	cfg := config(f.path, echoServer(t))
	forward, socks := freePort(t), freePort(t)
	cfg.Forwards = []ForwardConfig{{Listen: forward, To: "100.127.0.1:1883"}}
	cfg.SOCKS.Listen = socks
	cfg.StatusPort = 9111
	r := start(t, cfg)
	<-r.Ready()
	networkEcho(t, f, 1883)
	await(t, func() bool { s := r.Status(); return s.Forwards[0].Up && s.Forwards[1].Up })

	c, err := net.Dial("tcp", forward)
	if err != nil {
		t.Fatal(err)
	}
	talk(t, c)

	d, err := proxy.SOCKS5("tcp", socks, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = d.Dial("tcp", "100.127.0.1:1883"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	for address, says := range map[string]string{"100.127.0.1:9": "refused", "name.example:80": "host unreachable"} {
		if c, err := d.Dial("tcp", address); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v %v, want %q", address, c, err, says)
		}
	}

	status, err := f.dial(9111)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return status, nil }, DisableKeepAlives: true}}
	resp, err := client.Get("http://device/v1/status")
	if err != nil {
		t.Fatal(err)
	}
	var s Status
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil || s.State != StateOnline {
		t.Errorf("%+v %v", s, err)
	}
	resp.Body.Close()

	f.drop()
	<-r.pauses
	if c, err = net.Dial("tcp", forward); err == nil {
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) { // which may come before the dial is over
		t.Errorf("without a link: %v", err)
	}
	if _, err := d.Dial("tcp", "100.127.0.1:1883"); err == nil || !strings.Contains(err.Error(), "network unreachable") {
		t.Errorf("without a link: %v", err)
	}
}

// The status port is everybody's in the closed network: who keeps connections there takes no more than its places.
func TestStatusPortLimit(t *testing.T) {
	f := newFakeModem(t, nil)
	cfg := config(f.path, echoServer(t))
	cfg.StatusPort = 9111
	r := start(t, cfg)
	<-r.Ready()
	ask := func() (net.Conn, error) {
		c, err := f.dial(9111)
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { c.Close() })
		io.WriteString(c, "GET /v1/status HTTP/1.1\r\nHost: device\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		return c, err
	}
	var first net.Conn
	for range defaultConnections {
		c, err := ask()
		if err != nil {
			t.Fatal(err)
		}
		first = c
	}
	if _, err := ask(); err == nil {
		t.Errorf("more than %d are served", defaultConnections)
	}
	first.Close()
	await(t, func() bool { return r.onStatus.active.Load() < defaultConnections })
	if _, err := ask(); err != nil {
		t.Errorf("when one has ended: %v", err)
	}
}

func TestServiceLimitAndProxyHeader(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := newFakeModem(t, nil)
	cfg := config(f.path, l.Addr().String())
	cfg.Services[0].ProxyProtocol, cfg.Services[0].MaxConnections = true, 1
	r := start(t, cfg)
	<-r.Ready()
	client, err := f.dial(7)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	pc := proxyproto.NewConn(server) // another reader of the protocol
	if h := pc.ProxyHeader(); h == nil || h.Version != 2 || h.SourceAddr.(*net.TCPAddr).AddrPort().Addr() != gatewayAddr || h.DestinationAddr.String() != "10.128.0.7:7" {
		t.Errorf("header %+v", h)
	}
	second, err := f.dial(7)
	if err == nil {
		_, err = second.Read(make([]byte, 1))
		second.Close()
	}
	if err == nil {
		t.Error("a second connection is served")
	}
	if s := r.Status().Services[0]; s.Active != 1 || s.Refused != 1 {
		t.Errorf("%+v", s)
	}
	client.Close()
	server.Close()
	await(t, func() bool { return r.Status().Services[0].Active == 0 })
}

// A port that cannot be opened is a line in the log for each reason, however long that lasts.
func TestPortThatCannotBeOpened(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name string
		run  func(context.Context, *Agent)
		says []string
	}{
		{"metrics", func(ctx context.Context, a *Agent) { a.keepMetrics(ctx) }, []string{"metrics are not served.*in use"}},
		{"forward", func(ctx context.Context, a *Agent) {
			g, tries := &gateway{listen: a.cfg.Metrics, log: a.log}, 0
			g.report = func(error) {
				if tries++; tries == 500 {
					g.listen = "192.0.2.1:1" // which no interface has
				}
			}
			g.run(ctx)
		}, []string{"code=A32 .*in use", "code=A32 .*cannot assign"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &logBook{}
				a := &Agent{cfg: Config{Metrics: taken.Addr().String()}, log: slog.New(slog.NewTextHandler(log, nil))}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
				defer cancel()
				tt.run(ctx, a)
				w := log.warnings()
				if len(w) != len(tt.says) {
					t.Fatalf("%d lines: %.2000q", len(w), w)
				}
				for i, says := range tt.says {
					if !regexp.MustCompile(says).MatchString(w[i]) {
						t.Errorf("%q, want %s", w[i], says)
					}
				}
			})
		})
	}
}

func TestProxyHeader(t *testing.T) {
	v6 := &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 1234}
	for _, a := range []*net.TCPAddr{{IP: net.IPv4(100, 127, 0, 1), Port: 1234}, v6} {
		h, err := proxyproto.Read(newReader(proxyHeader(a, a)))
		if err != nil || h.SourceAddr.String() != a.String() {
			t.Errorf("%v: %+v %v", a, h, err)
		}
	}
	if h, err := proxyproto.Read(newReader(proxyHeader(v6, &net.TCPAddr{IP: net.IPv4(1, 2, 3, 4)}))); err != nil || !h.Command.IsLocal() {
		t.Errorf("mixed: %+v %v", h, err)
	}
}

func newReader(b []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(b)) }

type duplex struct {
	io.Reader
	bytes.Buffer
}

func (d *duplex) Read(p []byte) (int, error) { return d.Reader.Read(p) }

func TestSOCKSRequest(t *testing.T) {
	tests := []struct{ in, want, answer string }{
		{"\x05\x01\x00\x05\x01\x00\x01\x64\x7f\x00\x01\x07\x5b", "100.127.0.1:1883", "\x05\x00"},
		{"\x05\x02\x02\x00\x05\x01\x00\x03\x04beam\x00\x50", "beam:80", "\x05\x00"},
		{"\x05\x01\x00\x05\x01\x00\x04" + strings.Repeat("\x00", 10) + "\xff\xff\x0a\x00\x00\x01\x00\x50", "10.0.0.1:80", "\x05\x00"},
		{"\x05\x01\x02", "", "\x05\xff"},
		{"\x04\x01\x00\x50", "", ""},
		{"\x05\x01\x00\x05\x02\x00\x01\x01\x02\x03\x04\x00\x50", "", "\x05\x00\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"\x05\x01\x00\x05\x01\x00\x09", "", "\x05\x00\x05\x08\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"\x05\x01\x00\x05\x01\x00\x03\x03a:b\x00\x50", "", "\x05\x00\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"\x05", "", ""}, {"\x05\x01\x00\x05\x01\x00\x03\x09abc", "", "\x05\x00"},
	}
	for _, tt := range tests {
		d := &duplex{Reader: strings.NewReader(tt.in)}
		got, err := socksRequest(d)
		if got != tt.want || (err == nil) != (tt.want != "") || d.String() != tt.answer {
			t.Errorf("%q: %q, %v, answered %q", tt.in, got, err, d.String())
		}
	}
}

func FuzzSOCKSRequest(f *testing.F) {
	f.Add([]byte("\x05\x01\x00\x05\x01\x00\x03\x04beam\x00\x50"))
	f.Fuzz(func(t *testing.T, in []byte) {
		d := &duplex{Reader: bytes.NewReader(in)}
		if to, err := socksRequest(d); err == nil {
			if _, _, err := net.SplitHostPort(to); err != nil {
				t.Errorf("%q: %v", to, err)
			}
		}
	})
}
