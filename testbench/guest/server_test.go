package guest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"minato/agent/netstack"
	"minato/agent/ppp"
)

// What pppd, as a server, gives to its client.
var (
	serverAddr = netip.MustParseAddr("10.20.0.1")
	clientAddr = netip.MustParseAddr("10.20.0.2")
	serverDNS  = []netip.Addr{netip.MustParseAddr("10.20.0.53"), netip.MustParseAddr("10.20.0.54")}
)

// serverOptions make pppd a server that does not dial and gives addresses.
const serverOptions = "local nocrtscts nodetach debug logfile /run/pppd.log name minato ms-dns 10.20.0.53 ms-dns 10.20.0.54 lcp-max-configure 60 10.20.0.1:10.20.0.2"

// TestClient holds our client against pppd and the kernel as the server: address, name servers, VJ compression refused, TCP both ways, an
// orderly end; and a wrong password.
func TestClient(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		auth          ppp.AuthProtocol
	}{
		{"none", "noauth", ppp.AuthNone},
		{"pap", "auth require-pap", ppp.AuthPAP},
		{"chap", "auth require-chap", ppp.AuthCHAP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sharedFor(t)
			port, end := serve(t, s, tt.options)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			c := ppp.New(port, ppp.Config{User: "sora", Password: "sora", EchoInterval: time.Second, EchoFailures: 60})
			stack, err := netstack.New(netstack.Config{Addrs: []netip.Addr{clientAddr}, Output: c.WritePackets})
			if err != nil {
				t.Fatal(err)
			}
			c.Attach(stack.Gather, stack.Flush)
			var running sync.WaitGroup
			running.Go(func() { stack.Run(ctx) })
			defer running.Wait()
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- c.Run(ctx) }()
			select {
			case <-c.Ready():
			case err := <-done:
				t.Fatal(err)
			}
			p := c.Params()
			if p.Local != clientAddr || p.Peer != serverAddr || p.Auth != tt.auth || p.MTU != 1500 || fmt.Sprint(p.DNS) != fmt.Sprint(serverDNS) {
				t.Errorf("parameters %+v", p)
			}
			if *record { // a recording is to be played without an IP stack
				<-port.enough
			} else {
				download(t, s, stack)
				serveGuest(t, s, stack)
			}
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
			await(t, end)
			logged(t, s, "<compress VJ")
			logged(t, s, "rcvd [IPCP ConfRej")
			logged(t, s, "LCP terminated by peer")
			if *record {
				text := serverProvenance(t, s, tt.options) + port.heard.String()
				if err := os.WriteFile("../../agent/ppp/testdata/pppd-"+tt.name+".txt", []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
		if tt.auth == ppp.AuthNone || *record {
			continue
		}
		t.Run(tt.name+", wrong password", func(t *testing.T) {
			s := sharedFor(t)
			port, end := serve(t, s, tt.options)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if err := ppp.New(port, ppp.Config{User: "sora", Password: "sorry"}).Run(ctx); !errors.Is(err, ppp.ErrAuthRefused) {
				t.Errorf("%v, want %v", err, ppp.ErrAuthRefused)
			}
			await(t, end)
		})
	}
}

func serverProvenance(t *testing.T, s *sharedGuest, options string) string {
	t.Helper()
	return fmt.Sprintf(`# Debian's pppd %s on kernel %s,
# in qemu, as the server (%s; addresses 10.20.0.1:10.20.0.2) of agent/ppp's client, user and password sora. Recorded on %s
# by TestClient -record of testbench/guest. "<" is what pppd sent until the client spoke, ">" what the client sent. In it: LCP, authentication,
# IPCP with VJ compression refused, IPV6CP rejected, two echoes, the orderly end.
`, s.image.Packages["ppp"], s.sh(t, "uname -rv"), options, time.Now().UTC().Format(time.DateOnly))
}

// serve starts pppd in the guest, and gives our end of its line.
func serve(t *testing.T, s *sharedGuest, options string) (*linePort, <-chan ended) {
	t.Helper()
	s.sh(t, `umask 077; echo 'sora * sora *' >/etc/ppp/chap-secrets; cp /etc/ppp/chap-secrets /etc/ppp/pap-secrets; rm -f /run/pppd.log`)
	conn, err := s.line.listener.Accept() // qemu dials again after each test
	if err != nil {
		t.Fatal(err)
	}
	port := &linePort{Conn: conn, enough: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	end := make(chan ended, 1)
	var running sync.WaitGroup
	running.Go(func() {
		_, exit, err := s.guest.Exec(ctx, fmt.Sprintf("exec pppd %s 115200 %s %s", s.guest.TTY(0), options, serverOptions))
		end <- ended{exit, err}
	})
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := s.try(t, "cat /run/pppd.log")
			t.Log(out)
		}
		cancel() // kills it, if it still runs
		running.Wait()
		conn.Close()
	})
	return port, end
}

// linePort notes what passes.
type linePort struct {
	net.Conn
	heard  recording
	mu     sync.Mutex
	asked  int           // echo requests
	enough chan struct{} // closed at the answer to the second one
}

// echoRequest is the beginning of one on the line, where an LCP packet has its control characters escaped.
var echoRequest = []byte{0xc0, 0x21, 0x7d, 0x29}

func (p *linePort) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	p.heard.writer("<").Write(b[:n])
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > 0 && p.asked == 2 {
		p.asked++
		close(p.enough)
	}
	return n, err
}

func (p *linePort) Write(b []byte) (int, error) {
	p.heard.writer(">").Write(b) // before the answer
	p.mu.Lock()
	if bytes.Contains(b, echoRequest) {
		p.asked++
	}
	p.mu.Unlock()
	return p.Conn.Write(b)
}

// download gets a file from the guest through the link.
func download(t *testing.T, s *sharedGuest, stack *netstack.Stack) {
	t.Helper()
	want := s.sh(t, `mkdir -p /www && head -c 65536 /dev/urandom >/www/file && sha256sum </www/file | cut -d " " -f 1
		pidof httpd >/dev/null || httpd -p 80 -h /www`)
	client := http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true, DialContext: stack.DialContext}}
	reply, err := client.Get("http://" + serverAddr.String() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if sum := sha256.Sum256(body); err != nil || hex.EncodeToString(sum[:]) != want {
		t.Errorf("the guest's file came with status %d and %d octets, not as it is there: %v", reply.StatusCode, len(body), err)
	}
}

// serveGuest lets a program of the guest connect to a service at our end.
func serveGuest(t *testing.T, s *sharedGuest, stack *netstack.Stack) {
	t.Helper()
	l, err := stack.Listen("tcp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	var echoing sync.WaitGroup
	defer echoing.Wait()
	defer l.Close()
	echoing.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		io.Copy(c, c)
	})
	if got := s.sh(t, "echo hello from the server | nc -w 30 "+clientAddr.String()+" 7"); got != "hello from the server" {
		t.Errorf("our service gave the guest %q", got)
	}
}
