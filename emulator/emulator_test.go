package emulator

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"testing"

	"go.uber.org/goleak"

	"minato/agent/netstack"
	"minato/agent/ppp"
	"minato/emulator/core"
	"minato/emulator/ttytest"
)

func TestMain(m *testing.M) {
	if modems := os.Getenv(childModems); modems != "" {
		os.Exit(child(modems, os.Getenv(childDir)))
	}
	goleak.VerifyTestMain(m)
}

// start runs an emulator until the end of the test.
func start(t testing.TB, cfg Config) *Emulator {
	t.Helper()
	if os.Getenv("MINATO_TEST_LOG") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	e, stop, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	return e
}

func dialTone(t testing.TB, e *Emulator, n int) *ttytest.User {
	t.Helper()
	u := ttytest.Open(t, e.Modem(n).PPPPath())
	u.AT("ATE0")
	u.Registered()
	u.AT(`AT+CGDCONT=1,"IP","soracom.io"`)
	return u
}

// device puts an IP stack on a link that is up. stop ends it; it must be called.
func device(t testing.TB, l *ttytest.Link) (stack *netstack.Stack, stop func()) {
	t.Helper()
	p := l.Conn.Params()
	stack, err := netstack.New(netstack.Config{Addrs: []netip.Addr{p.Local}, MTU: p.MTU, Output: l.Conn.WritePackets})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- stack.Run(ctx) }() // waited for by stop
	l.Conn.Attach(stack.Gather, stack.Flush)
	return stack, func() { cancel(); <-stopped }
}

func TestAgentReachesTheNetwork(t *testing.T) {
	e := start(t, Config{})
	u := dialTone(t, e, 0)
	if got := u.AT("ATD*99***1#"); got != "\r\nCONNECT 150000000\r\n" {
		t.Fatalf("dialling gave %q", got)
	}
	l := u.PPP(ppp.Config{User: "sora", Password: "sora"})
	p := l.Await()
	if !p.Local.IsValid() || p.Auth != ppp.AuthCHAP || p.Peer.IsValid() || len(p.DNS) != 2 {
		t.Errorf("agreed on %+v", p)
	}
	stack, stop := device(t, l)
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
	c, err := e.Core().DialSIM(t.Context(), sim.SIMID, 8000)
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
	l.Stop()
	if err := l.End(); err != nil {
		t.Errorf("link: %v", err)
	}
	u.Await("\r\nNO CARRIER\r\n")
	stop()
	if got := u.AT("AT"); got != "\r\nOK\r\n" {
		t.Errorf("after the call, AT gave %q", got)
	}
	if e.Core().Subscribers()[0].Online {
		t.Error("the session outlived the call")
	}
}

// e0 is a network with one SIM.
func e0() []core.Subscriber { return []core.Subscriber{core.DefaultSubscriber(0)} }
