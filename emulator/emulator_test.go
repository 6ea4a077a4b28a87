package emulator

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"minato/agent/netstack"
	"minato/agent/ppp"
	"minato/emulator/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything may take on a slow machine.
const patience = 30 * time.Second

// start runs an emulator until the end of the test.
func start(t testing.TB, cfg Config) *Emulator {
	t.Helper()
	if os.Getenv("MINATO_TEST_LOG") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	select {
	case <-e.Ready():
	case err := <-done:
		done <- nil
		t.Fatal(err)
	}
	return e
}

// tty is a user of a port: commands by text, then perhaps data.
type tty struct {
	t testing.TB
	f *os.File
	r *bufio.Reader
}

func openTTY(t testing.TB, path string) *tty {
	t.Helper()
	// Non-blocking, so that the runtime's poller has it and deadlines work.
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &tty{t, f, bufio.NewReaderSize(f, 64<<10)}
}

func (u *tty) send(text string) {
	u.t.Helper()
	if _, err := u.f.WriteString(text); err != nil {
		u.t.Fatal(err)
	}
}

// await reads up to and with the text.
func (u *tty) await(text string) string {
	u.t.Helper()
	u.f.SetReadDeadline(time.Now().Add(patience))
	defer u.f.SetReadDeadline(time.Time{})
	var got []byte
	for !bytes.HasSuffix(got, []byte(text)) {
		c, err := u.r.ReadByte()
		if err != nil {
			u.t.Fatalf("waiting for %q: %v, after %q", text, err, got)
		}
		got = append(got, c)
	}
	return string(got)
}

// at sends a command and gives what comes back up to its final result.
func (u *tty) at(command string) string {
	u.t.Helper()
	u.send(command + "\r")
	u.f.SetReadDeadline(time.Now().Add(patience))
	defer u.f.SetReadDeadline(time.Time{})
	var all strings.Builder
	for {
		line, err := u.r.ReadString('\n')
		all.WriteString(line)
		if err != nil {
			u.t.Fatalf("%s: %v, after %q", command, err, all.String())
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "OK" || line == "ERROR" || line == "NO CARRIER" || strings.HasPrefix(line, "+CME ERROR") || strings.HasPrefix(line, "CONNECT") {
			return all.String()
		}
	}
}

// registered waits until the modem may dial.
func (u *tty) registered() {
	u.t.Helper()
	deadline := time.Now().Add(patience)
	for !strings.Contains(u.at("AT+CEREG?"), ",1") {
		if time.Now().After(deadline) {
			u.t.Fatal("the modem does not register")
		}
	}
}

// dataLine is a tty in data mode as package ppp takes it.
type dataLine struct {
	*tty
	unread []byte
}

func (d *dataLine) Read(b []byte) (int, error)  { return d.r.Read(b) }
func (d *dataLine) Write(b []byte) (int, error) { return d.f.Write(b) }
func (d *dataLine) Unread(b []byte)             { d.unread = append(d.unread, b...) }
func (d *dataLine) Close() error                { return d.f.SetReadDeadline(time.Unix(1, 0)) }

// link is a PPP client on a port.
type link struct {
	conn *ppp.Conn
	line *dataLine
	stop context.CancelFunc
	done chan error
}

func (u *tty) ppp(user, password string) *link {
	u.t.Helper()
	d := &dataLine{tty: u}
	l := &link{line: d, conn: ppp.New(d, ppp.Config{User: user, Password: password}), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	go func() { l.done <- l.conn.Run(ctx) }()
	return l
}

func (l *link) await(t testing.TB) ppp.Params {
	t.Helper()
	select {
	case <-l.conn.Ready():
	case err := <-l.done:
		t.Fatalf("the PPP link ended: %v", err)
	case <-time.After(patience):
		t.Fatal("the PPP link does not come up")
	}
	return l.conn.Params()
}

// end waits for the link's end and gives the line back to commands.
func (l *link) end(t testing.TB) error {
	t.Helper()
	var err error
	select {
	case err = <-l.done:
	case <-time.After(patience):
		t.Fatal("the PPP link does not end")
	}
	l.stop()
	l.line.f.SetReadDeadline(time.Time{})
	l.line.r = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(l.line.unread), l.line.r), 64<<10)
	l.line.tty.r = l.line.r
	return err
}

func dialTone(t testing.TB, e *Emulator, n int) *tty {
	t.Helper()
	u := openTTY(t, e.Modem(n).PPPPath())
	u.at("ATE0")
	u.registered()
	u.at(`AT+CGDCONT=1,"IP","soracom.io"`)
	return u
}

func TestAgentReachesTheNetwork(t *testing.T) {
	e := start(t, Config{})
	u := dialTone(t, e, 0)
	if got := u.at("ATD*99***1#"); got != "\r\nCONNECT 150000000\r\n" {
		t.Fatalf("dialling gave %q", got)
	}
	l := u.ppp("sora", "sora")
	p := l.await(t)
	if !p.Local.IsValid() || p.Auth != ppp.AuthCHAP || p.Peer.IsValid() || len(p.DNS) != 2 {
		t.Errorf("agreed on %+v", p)
	}
	stack, err := netstack.New(netstack.Config{Addrs: []netip.Addr{p.Local}, MTU: p.MTU, Output: l.conn.WritePackets})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- stack.Run(ctx) }()
	l.conn.Attach(stack.Deliver)
	listener, err := stack.Listen("tcp", ":8000")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		c, err := listener.Accept()
		if err == nil {
			_, err = io.Copy(c, c)
			c.Close()
		}
		served <- err
	}()
	sim := e.Core().Subscribers()[0]
	c, err := e.Core().DialSIM(ctx, sim.SIMID, 8000)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "through the air\n")
	if got, err := bufio.NewReader(c).ReadString('\n'); err != nil || got != "through the air\n" {
		t.Errorf("echo %q, %v", got, err)
	}
	c.Close()
	<-served
	listener.Close()
	l.stop()
	if err := l.end(t); err != nil {
		t.Errorf("link: %v", err)
	}
	u.await("\r\nNO CARRIER\r\n")
	cancel()
	<-stopped
	if got := u.at("AT"); got != "\r\nOK\r\n" {
		t.Errorf("after the call, AT gave %q", got)
	}
	if e.Core().Subscribers()[0].Online {
		t.Error("the session outlived the call")
	}
}

// e0 is a network with one SIM.
func e0() []core.Subscriber { return []core.Subscriber{core.DefaultSubscriber(0)} }
