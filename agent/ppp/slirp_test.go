package ppp

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"minato/agent/netstack"
)

var record = flag.Bool("record", false, "write what slirp and the client say to each other to testdata/slirp-*.txt")

// slirpAuth are the ways in which slirp knows its client.
var slirpAuth = []struct {
	name    string
	options []string
	want    AuthProtocol
}{
	{"none", nil, AuthNone},
	{"pap", []string{"+pap"}, AuthPAP},
	{"chap", []string{"+chap"}, AuthCHAP},
}

// TestSlirpLive links the client to a PPP server by others, Debian's slirp, on a PTY: address, name servers, and TCP; with PAP,
// with CHAP and without; and is refused with a wrong password.
func TestSlirpLive(t *testing.T) {
	for _, tt := range slirpAuth {
		t.Run(tt.name, func(t *testing.T) {
			port := startSlirp(t, tt.options...)
			c := New(port, Config{User: "sora", Password: "secret", EchoInterval: time.Second, EchoFailures: 60})
			c.random = func() uint32 { return 0xe73ddd50 } // also of the recordings
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			stack, err := netstack.New(netstack.Config{Addrs: []netip.Addr{slirpClient}, Output: c.WritePackets})
			if err != nil {
				t.Fatal(err)
			}
			c.Attach(stack.Gather, stack.Flush)
			var running sync.WaitGroup
			running.Go(func() { stack.Run(ctx) })
			defer running.Wait()
			defer cancel()
			go func() { done <- c.Run(ctx) }()
			select {
			case <-c.Ready():
			case err := <-done:
				t.Fatalf("%v; slirp says %q", err, port.text())
			}
			if p := c.Params(); p.Local != slirpClient || p.MTU != 1500 || p.Auth != tt.want {
				t.Errorf("parameters %+v", p)
			}
			if *record {
				<-port.enough
			} else {
				outward(t, stack)
			}
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
			if *record {
				port.save(t, tt.name, tt.options)
			}
		})
		if tt.want == AuthNone || *record {
			continue
		}
		t.Run(tt.name+", wrong password", func(t *testing.T) {
			port := startSlirp(t, tt.options...)
			err := New(port, Config{User: "sora", Password: "wrong"}).Run(t.Context())
			if !errors.Is(err, ErrAuthRefused) {
				t.Errorf("%v, want %v", err, ErrAuthRefused)
			}
		})
	}
}

// Addresses that slirp gives (slirp(1)): the client's, and an alias for the machine itself.
var (
	slirpClient = netip.MustParseAddr("10.0.2.15")
	slirpHost   = netip.MustParseAddr("10.0.2.2")
)

// startSlirp starts a server whose client is sora with the password secret.
func startSlirp(t *testing.T, options ...string) *slirpPort {
	t.Helper()
	program, err := exec.LookPath("slirp-fullbolt")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("slirp is not installed: make setup, or apt-get install slirp")
	}
	home := t.TempDir()
	for _, name := range []string{".pap-secrets", ".chap-secrets"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte("sora * secret 10.0.2.15\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	defer master.Close()
	cmd := exec.Command(program, append([]string{"ppp"}, options...)...)
	cmd.Env = append(os.Environ(), "HOME="+home)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil { // as a serial line: slirp does so too, but not at once
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(master.Fd())) // that package leaves its file blocking, so that closing would not end a Read
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &slirpPort{file: os.NewFile(uintptr(fd), "ptmx"), enough: make(chan struct{})}
	t.Cleanup(func() {
		p.file.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return p
}

// slirpPort notes what passes.
type slirpPort struct {
	file *os.File

	mu    sync.Mutex
	lines strings.Builder
	heard []byte
	asked int // echo requests

	enough chan struct{} // closed at the answer to the second one
}

func (p *slirpPort) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	p.note("<", b[:n])
	return n, err
}

func (p *slirpPort) Write(b []byte) (int, error) {
	p.note(">", b) // before the answer
	return p.file.Write(b)
}

func (p *slirpPort) Close() error { return p.file.Close() }

func (p *slirpPort) note(way string, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(b) == 0 {
		return
	}
	fmt.Fprintf(&p.lines, "%s %s\n", way, hex.EncodeToString(b))
	switch {
	case way == ">" && bytes.Contains(b, echoRequest):
		p.asked++
	case way == "<":
		if p.heard = append(p.heard, b...); p.asked == 2 {
			close(p.enough)
			p.asked++
		}
	}
}

// echoRequest is the beginning of one on the line, which an LCP packet always has escaped.
var echoRequest = []byte{0xc0, 0x21, 0x7d, 0x29}

// save writes the recording.
func (p *slirpPort) save(t *testing.T, name string, options []string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	version, err := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", "slirp").Output()
	if err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf(`# Debian's slirp %s (slirp-fullbolt ppp %s, a PPP server written by others) on a PTY, talking to this package's
# client as user sora, password secret. Recorded on %s by TestSlirpLive -record. "<" came from slirp, ">" was sent to it; each
# line is one read or write, cut where the PTY cut it. The client's magic number was e73ddd50 and its echo interval one second. slirp
# asks for VJ compression and CCP, which it is refused, and for an address of its own, without which it would end IPCP as soon as it is up.
# The banner comes before PPP, as a modem's CONNECT would.
`, version, strings.Join(options, " "), time.Now().UTC().Format(time.DateOnly))
	if err := os.WriteFile("testdata/slirp-"+name+".txt", []byte(head+p.lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p *slirpPort) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.heard)
}

// outward sends 256 KiB of every octet through the link to a program of the machine, which sends them back.
func outward(t *testing.T, stack *netstack.Stack) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := stack.DialContext(ctx, "tcp", netip.AddrPortFrom(slirpHost, l.Addr().(*net.TCPAddr).AddrPort().Port()).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	data := make([]byte, 256<<10)
	for i := range data {
		data[i] = byte(i ^ i>>8)
	}
	sent := make(chan error, 1)
	go func() { _, err := c.Write(data); sent <- err }()
	back := make([]byte, len(data))
	_, err = io.ReadFull(c, back)
	if err := errors.Join(err, <-sent); err != nil || !bytes.Equal(back, data) {
		t.Errorf("%d octets came back changed, or not: %v", len(data), err)
	}
}
