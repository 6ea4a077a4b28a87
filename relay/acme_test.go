package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// freePort is a port of loopback that nothing listens on now. It is none of those that the kernel gives to a socket that asks for any
// (ip_local_port_range), as another test's may before the port is used; and none that was given so before, of which a UDP socket is the sign (env.FreePort).
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 61000 + rand.IntN(65536-61000)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		sign, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		t.Cleanup(func() { sign.Close() })
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// everyNameIsLoopback is a DNS server over TCP (RFC 1035 section 4.2.2), which is how pebble asks: each name has the address 127.0.0.1.
func everyNameIsLoopback(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { // ends with the listener
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { // ends with the connection, which pebble closes
				defer conn.Close()
				for answerDNS(conn) == nil {
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return l.Addr().String()
}

// answerDNS answers one question.
func answerDNS(conn net.Conn) error {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	b := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, b); err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil {
		return err
	}
	m.Response, m.Additionals = true, nil
	for _, q := range m.Questions {
		if q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			})
		}
	}
	answer, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	return err
}

// pebble is Let's Encrypt's test server.
type pebble struct {
	directory string
	ca        *x509.CertPool // of its own interface
	challenge string         // address where it looks for http-01 challenges
	manage    string
}

// startPebble runs it on loopback until the test ends.
func startPebble(t *testing.T) *pebble {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "pebble")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/letsencrypt/pebble/v2/cmd/pebble").CombinedOutput(); err != nil {
		t.Fatalf("building pebble: %v\n%s", err, out)
	}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key)
	chain, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	p := &pebble{ca: x509.NewCertPool()}
	block, _ := pem.Decode(chain)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	p.ca.AddCert(leaf)
	listen, manage, challenge := freePort(t), freePort(t), freePort(t)
	p.directory, p.manage = fmt.Sprintf("https://127.0.0.1:%d/dir", listen), fmt.Sprintf("https://127.0.0.1:%d", manage)
	p.challenge = fmt.Sprintf("127.0.0.1:%d", challenge)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": fmt.Sprintf("127.0.0.1:%d", listen), "managementListenAddress": fmt.Sprintf("127.0.0.1:%d", manage),
		"certificate": cert, "privateKey": key, "httpPort": challenge, "tlsPort": 1, "keyAlgorithm": "ecdsa",
		"retryAfter": map[string]int{"authz": 1, "order": 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pebble.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-config", file, "-dnsserver", everyNameIsLoopback(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	ready := make(chan struct{})
	go func() { // ends with the program
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			t.Log(lines.Text())
			if strings.Contains(lines.Text(), "ACME directory available") {
				close(ready)
			}
		}
	}()
	t.Cleanup(func() { cmd.Process.Kill(); <-read; cmd.Wait() })
	select {
	case <-ready:
	case <-read:
		t.Fatal("pebble did not start")
	}
	return p
}

// roots asks pebble for the root of what it issues.
func (p *pebble) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.ca}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	for deadline := time.Now().Add(patience); ; {
		resp, err := client.Get(p.manage + "/roots/0")
		if err != nil {
			if time.Now().After(deadline) { // its second address opens a moment after the first
				t.Fatal(err)
			}
			continue
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(b) {
			t.Fatalf("pebble's root: %v", err)
		}
		return pool
	}
}

// The certificate of the mappings comes from an ACME server, and a restart needs no new one.
func TestACME(t *testing.T) {
	p := startPebble(t)
	const name = "203-0-113-7.relay.example"
	acme := &ACME{Directory: p.directory, Email: "ops@relay.example", Domains: []string{name}, Roots: p.ca, Listen: p.challenge}
	dir := t.TempDir()
	r := startRelay(t, Config{Dir: dir, ACME: acme})
	id, secret := r.AuthKeyID, r.AuthKey
	roots := p.roots(t)
	m := r.mapping(true)
	serial := func(sni string) string {
		t.Helper()
		for deadline := time.Now().Add(patience); ; {
			client := &tls.Config{RootCAs: roots, ServerName: name}
			if sni == "" { // as a client does that dials the address
				client = &tls.Config{InsecureSkipVerify: true}
			}
			conn := tls.Client(r.dial(m), client)
			err := conn.Handshake()
			if err == nil {
				conn.Write([]byte("x"))
				if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
					t.Error(err)
				}
				conn.Close()
				return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
			}
			conn.Close()
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-t.Context().Done():
			}
		}
	}
	first := serial(name)
	if got := serial(""); got != first {
		t.Errorf("without a name: certificate %s, want %s", got, first)
	}
	if status, _, _ := r.request("GET", "/v1/ca.pem", "", nil); status != http.StatusNotFound {
		t.Errorf("ca.pem: %d", status)
	}
	r.stop()
	r = startRelay(t, Config{Dir: dir, ACME: acme, BootstrapKey: func(string, string) {}})
	r.AuthKeyID, r.AuthKey = id, secret
	if got := serial(name); got != first {
		t.Errorf("after a restart: certificate %s, want %s", got, first)
	}
}

// A relay whose ACME server is away serves what needs no certificate, and ends at once.
func TestACMEServerIsAway(t *testing.T) {
	r := startRelay(t, Config{ACME: &ACME{Directory: fmt.Sprintf("https://127.0.0.1:%d/dir", freePort(t)), Domains: []string{"a.example"}}})
	r.opened(r.mapping(false)).Close()
	if h, err := r.Health(t.Context()); err != nil || h.Status != "degraded" || len(h.Problems) != 1 || h.Problems[0].Part != "certificate" {
		t.Errorf("health %+v, %v", h, err)
	}
	conn := r.dial(r.mapping(true))
	if err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake(); err == nil {
		t.Error("a handshake without a certificate was good")
	}
	conn.Close()
	if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditDenied || !strings.Contains(e.CloseReason, errNoCertificate.Error()) {
		t.Errorf("audit entry %+v", e)
	}
	r.stop()
}

func TestACMEStorage(t *testing.T) {
	ctx := t.Context()
	s, err := store.Open(ctx, store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := acmeStorage{s}
	for _, name := range []string{"acme/ca/users/ops@example.com/ops.json", "certificates/ca/a.example/a.example.crt", "certificates/ca/a.example/a.example.key", "certificates/ca/ab"} {
		if err := a.Store(ctx, name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := a.Load(ctx, "certificates/ca/ab"); err != nil || string(b) != "certificates/ca/ab" {
		t.Errorf("load: %q, %v", b, err)
	}
	if _, err := a.Load(ctx, "certificates/ca"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("loading a folder: %v", err)
	}
	for _, tt := range []struct {
		path      string
		recursive bool
		want      []string
	}{
		{"certificates/ca", false, []string{"certificates/ca/a.example", "certificates/ca/ab"}},
		{"certificates/ca/a.example", true, []string{"certificates/ca/a.example/a.example.crt", "certificates/ca/a.example/a.example.key"}},
		{"", false, []string{"acme", "certificates"}},
	} {
		got, err := a.List(ctx, tt.path, tt.recursive)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("list of %q: %q, %v; want %q", tt.path, got, err, tt.want)
		}
	}
	if info, err := a.Stat(ctx, "certificates/ca/ab"); err != nil || !info.IsTerminal || info.Size != 18 || time.Since(info.Modified) > time.Hour {
		t.Errorf("stat: %+v, %v", info, err)
	}
	if info, err := a.Stat(ctx, "certificates"); err != nil || info.IsTerminal {
		t.Errorf("stat of a folder: %+v, %v", info, err)
	}
	if err := a.Delete(ctx, "certificates/ca/a"); err != nil || !a.Exists(ctx, "certificates/ca/a.example") {
		t.Errorf("deleting a name that is the start of another: %v", err)
	}
	if err := a.Delete(ctx, "certificates"); err != nil || a.Exists(ctx, "certificates/ca/ab") || !a.Exists(ctx, "acme") {
		t.Errorf("deleting a folder: %v", err)
	}
	if err := a.Lock(ctx, "l"); err != nil {
		t.Fatal(err)
	}
	waiting, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := a.Lock(waiting, "l"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a lock that is held: %v", err)
	}
	if err := a.Unlock(ctx, "l"); err != nil {
		t.Error(err)
	}
	if err := a.Lock(ctx, "l"); err != nil {
		t.Error(err)
	}
}
