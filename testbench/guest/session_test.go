package guest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"minato/emulator"
	"minato/emulator/core"
)

var record = flag.Bool("record", false, "write what pppd and the modem say to each other with CHAP to "+vectors)

// TestSession holds the emulator against pppd and the kernel: address, name servers, data both ways, and an orderly end.
func TestSession(t *testing.T) {
	for _, tt := range []struct{ name, options string }{
		{"CHAP", "refuse-pap"},
		{"PAP", "refuse-chap refuse-mschap refuse-mschap-v2 refuse-eap"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sharedFor(t)
			e, heard := startModem(t, s, emulator.Config{})
			prepare(t, s, "sora")
			end := dial(t, s, tt.options)
			local, remote := online(t, s, end)

			given := e.Core().Subscribers()[0].Session.Addr.String()
			if local != given {
				t.Errorf("pppd has the address %q, the network gave %q", local, given)
			}
			if remote != "10.64.64.64" { // the modem names no peer, and this is what pppd makes of that
				t.Errorf("the peer is %q to pppd, want 10.64.64.64", remote)
			}
			if got, want := s.sh(t, "ip addr show ppp0"), "inet "+given+" peer 10.64.64.64/32"; !strings.Contains(got, want) {
				t.Errorf("ip addr: %q, want %q in it", got, want)
			}
			if got, want := s.sh(t, "cat /etc/ppp/resolv.conf"), "nameserver 100.127.0.53\nnameserver 100.127.1.53"; got != want {
				t.Errorf("resolv.conf: %q, want %q", got, want)
			}
			if out, _ := s.try(t, "nslookup soracom.io 100.127.0.53 2>&1"); !strings.Contains(out, "REFUSED") {
				t.Errorf("nslookup: %q, want the closed network's answer, REFUSED", out)
			}
			fetch(t, s, e.Core())
			if !*record { // a recording is to be read by people, too
				upload(t, s, e.Core())
			}

			if exit := hangUp(t, s, end); exit != pppdUserRequest {
				t.Errorf("pppd ended with exit status %d after SIGTERM, want %d", exit, pppdUserRequest)
			}
			if *record && tt.name == "CHAP" {
				if err := os.WriteFile(vectors, []byte(provenance(t, s)+heard.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// fetch gets a file from the guest's own web server through the network's door.
func fetch(t *testing.T, s *sharedGuest, c *core.Core) {
	t.Helper()
	size := 64 << 10 // of every octet: what must be escaped is in it many times
	if *record {
		size = 32
	}
	want := s.sh(t, fmt.Sprintf(`mkdir -p /www && head -c %d /dev/urandom >/www/file && cat /www/file | sha256sum | cut -d " " -f 1
		pidof httpd >/dev/null || httpd -p 80 -h /www`, size))
	client := http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return c.DialSIM(ctx, simID(), 80) },
	}}
	reply, err := client.Get("http://guest/file")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(body); reply.StatusCode != http.StatusOK || len(body) != size || hex.EncodeToString(sum[:]) != want {
		t.Errorf("the guest's file came with status %d and %d octets, not as it is there", reply.StatusCode, len(body))
	}
}

// upload sends octets to a program in the guest, which tells their digest.
func upload(t *testing.T, s *sharedGuest, c *core.Core) {
	t.Helper()
	body := make([]byte, 64<<10)
	rand.Read(body)
	s.sh(t, "nc -l -p 9000 -e sha256sum >/dev/null 2>&1 & until netstat -ltn | grep -q :9000; do usleep 50000; done")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	conn, err := c.DialSIM(ctx, simID(), 9000)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := io.Copy(conn, bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	if want := hex.EncodeToString(sum[:]); !strings.HasPrefix(string(got), want) {
		t.Errorf("the guest made %q of what was sent, want %q", got, want)
	}
}

// TestWrongPassword: the modem lets everybody in, as its kind does, and the network refuses the address afterwards.
func TestWrongPassword(t *testing.T) {
	for _, tt := range []struct{ name, options string }{
		{"CHAP", "refuse-pap"},
		{"PAP", "refuse-chap refuse-mschap refuse-mschap-v2 refuse-eap"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sharedFor(t)
			e, _ := startModem(t, s, emulator.Config{})
			prepare(t, s, "sorry")
			if exit := await(t, dial(t, s, tt.options)); exit != pppdHangup {
				t.Errorf("pppd ended with exit status %d, want %d", exit, pppdHangup)
			}
			if e.Core().Subscribers()[0].Online {
				t.Error("the SIM has a session")
			}
			logged(t, s, "LCP terminated by peer")
		})
	}
}

// TestRedial: the carrier is lost, which pppd learns from its echo requests, since nothing drops DCD on a socket; then it dials again.
func TestRedial(t *testing.T) {
	s := sharedFor(t)
	e, _ := startModem(t, s, emulator.Config{})
	prepare(t, s, "sora")
	end := dial(t, s, "lcp-echo-interval 3 lcp-echo-failure 5") // the guest's clock goes on while this process waits for its turn
	online(t, s, end)
	if err := e.Modem(0).Inject("no-carrier", nil); err != nil {
		t.Fatal(err)
	}
	if exit := await(t, end); exit != pppdHangup {
		t.Errorf("pppd ended with exit status %d, want %d", exit, pppdHangup)
	}
	logged(t, s, "No response to 5 echo-requests")
	end = dial(t, s, "")
	local, _ := online(t, s, end)
	if given := e.Core().Subscribers()[0].Session.Addr.String(); local != given {
		t.Errorf("after the redial pppd has the address %q, the network gave %q", local, given)
	}
	fetch(t, s, e.Core())
	if exit := hangUp(t, s, end); exit != pppdUserRequest {
		t.Errorf("pppd ended with exit status %d after SIGTERM, want %d", exit, pppdUserRequest)
	}
}
