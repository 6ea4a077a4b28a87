package dce

import (
	"bytes"
	"context"

	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/agent/ppp"
	"minato/emulator/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// fakeNetwork knows one IMSI and one APN.
type fakeNetwork struct {
	mu       sync.Mutex
	attached bool
	last     *fakeSession
	requests []core.ActivateRequest
}

const goodIMSI = "440101234567890"

var goodSIM = SIMCard{IMSI: goodIMSI, ICCID: "8981100000000000002", MSISDN: "812000000000"}

func (n *fakeNetwork) Attach(imsi, _ string) (string, error) {
	if imsi != goodIMSI {
		return "", &core.Reject{Cause: 8, Reason: "the IMSI is not known"}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.attached = true
	return "soracom.io", nil
}

func (n *fakeNetwork) DefaultBearer(r core.ActivateRequest) (ppp.Lease, error) {
	if err := serves(r); err != nil {
		return ppp.Lease{}, err
	}
	return (*fakeSession)(nil).Lease(), nil
}

func (n *fakeNetwork) Detach(string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.attached = false
}

func (n *fakeNetwork) Activate(_ context.Context, r core.ActivateRequest) (Session, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests = append(n.requests, r)
	if err := serves(r); err != nil {
		return nil, err
	}
	n.last = &fakeSession{done: make(chan struct{})}
	return n.last, nil
}

// serves refuses what there is not, as package core does.
func serves(r core.ActivateRequest) error {
	switch {
	case r.APN != "" && !strings.EqualFold(r.APN, "soracom.io"):
		return &core.Reject{Cause: 27, Reason: "unknown APN"}
	case r.Type == "IPV6":
		return &core.Reject{Cause: core.CauseIPv4Only, Reason: "PDN type IPv4 only allowed"}
	case r.Type == "PPP":
		return &core.Reject{Cause: core.CauseUnknownPDNType, Reason: "unknown PDN type PPP"}
	}
	return nil
}

func (n *fakeNetwork) isAttached() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.attached
}

func (n *fakeNetwork) session() *fakeSession {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}

type fakeSession struct {
	once sync.Once
	done chan struct{}
	why  string
}

func (s *fakeSession) Lease() ppp.Lease {
	return ppp.Lease{Addr: netip.MustParseAddr("10.128.0.1"), DNS: []netip.Addr{netip.MustParseAddr("100.127.0.53")}}
}
func (s *fakeSession) Gather([]byte)               {}
func (s *fakeSession) Flush()                      {}
func (s *fakeSession) Attach(func([][]byte) error) {}
func (s *fakeSession) Done() <-chan struct{}       { return s.done }
func (s *fakeSession) Reason() string              { return s.why }
func (s *fakeSession) Close(reason string) {
	s.once.Do(func() { s.why = reason; close(s.done) })
}

// bench is a modem with its network.
type bench struct {
	t testing.TB
	*Modem
	net    *fakeNetwork
	ctx    context.Context
	serves sync.WaitGroup
	booted atomic.Bool // the last boot that began has said all that it says
}

func newBench(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	n := &fakeNetwork{}
	cfg := Config{Network: n, SIM: goodSIM}
	if os.Getenv("MINATO_TEST_LOG") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := &bench{t: t, net: n, ctx: ctx}
	cfg.Observe = func(e Event) {
		if e.Type == "boot" {
			b.booted.Store(e.State == "ready")
		}
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b.Modem = m
	t.Cleanup(func() { cancel(); b.serves.Wait() })
	return b
}

// on switches the modem on.
func (b *bench) on() { b.serves.Go(func() { b.Run(b.ctx) }) }

// user is someone at a port. A goroutine reads all the time, as a tty's driver does.
type user struct {
	t    testing.TB
	conn net.Conn

	mu   sync.Mutex
	got  []byte
	more chan struct{}
}

func (b *bench) user(name string) *user {
	ours, theirs := net.Pipe()
	u := &user{t: b.t, conn: ours, more: make(chan struct{}, 1)}
	b.serves.Go(func() {
		b.Serve(b.ctx, theirs, name)
		theirs.Close()
	})
	b.serves.Go(u.read)
	return u
}

// read ends when the modem closes the port.
func (u *user) read() {
	buf := make([]byte, 4096)
	for {
		n, err := u.conn.Read(buf)
		u.mu.Lock()
		u.got = append(u.got, buf[:n]...)
		u.mu.Unlock()
		select {
		case u.more <- struct{}{}:
		default:
		}
		if err != nil {
			u.conn.Close()
			return
		}
	}
}

func (u *user) send(text string) {
	u.t.Helper()
	if _, err := u.conn.Write([]byte(text)); err != nil {
		u.t.Fatalf("sending %q: %v", text, err)
	}
}

// await gives everything up to and with the text.
func (u *user) await(text string) string {
	u.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		u.mu.Lock()
		if i := bytes.Index(u.got, []byte(text)); i >= 0 {
			head := string(u.got[:i+len(text)])
			u.got = u.got[i+len(text):]
			u.mu.Unlock()
			return head
		}
		have := string(u.got)
		u.mu.Unlock()
		select {
		case <-u.more:
		case <-deadline.C:
			u.t.Fatalf("waiting for %q: there is %q", text, have)
		}
	}
}

// expect sends a command and checks all that comes back.
func (u *user) expect(command, want string) {
	u.t.Helper()
	u.send(command + "\r")
	if got := u.await(want); got != want {
		u.t.Errorf("%s gave %q, want %q", command, got, want)
	}
}

// registered waits for the network.
func (u *user) registered() {
	u.t.Helper()
	for range 10000 {
		u.send("AT+CEREG?\r")
		if got := u.await("OK\r\n"); bytes.Contains([]byte(got), []byte(",1")) {
			return
		}
	}
	u.t.Fatal("the modem does not register")
}

// ready is a user of a modem that is on and registered, without echo.
func (b *bench) ready(name string) *user {
	b.t.Helper()
	b.on()
	at := b.user("at")
	at.awaitBoot(b)
	at.registered()
	at.expect("ATE0", "ATE0\r\r\nOK\r\n")
	if name == "at" {
		return at
	}
	u := b.user(name)
	u.expect("ATE0", "ATE0\r\r\nOK\r\n")
	return u
}

// awaitBoot waits until the modem has booted, and has read what it said, whether or not the port was there in time for that. Behind a Reset
// it is that boot: until it begins the modem is deaf.
func (u *user) awaitBoot(b *bench) {
	u.t.Helper()
	for range 10000 {
		if !b.deaf() && b.booted.Load() {
			u.send("AT\r")
			u.await("OK\r\n")
			return
		}
		select {
		case <-u.more:
		case <-time.After(time.Millisecond):
		}
	}
	u.t.Fatal("the modem does not boot")
}

// awaitPorts waits until n ports are there.
func (b *bench) awaitPorts(n int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		b.mu.Lock()
		have := len(b.ports)
		b.mu.Unlock()
		if have >= n {
			return
		}
	}
}
