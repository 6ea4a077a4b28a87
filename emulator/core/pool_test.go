package core

import (
	"net/netip"
	"testing"
	"time"
)

func TestPool(t *testing.T) {
	clk := &clock{now: time.Unix(1e9, 0)}
	p := newPool(netip.MustParsePrefix("10.0.0.0/29"), time.Minute, clk.Now)
	p.exclude(netip.MustParseAddr("10.0.0.1"))
	p.exclude(netip.MustParseAddr("10.0.0.5"))

	take := func(imsi, want string) {
		t.Helper()
		a, ok := p.take(imsi)
		switch {
		case !ok && want != "":
			t.Fatalf("%s got nothing, want %s", imsi, want)
		case ok && a.String() != want:
			t.Fatalf("%s got %s, want %q", imsi, a, want)
		}
	}
	release := func(a string) { p.release(netip.MustParseAddr(a)) }

	take("a", "10.0.0.2") // .0 is the network's, .1 and .5 are excluded, .7 is the broadcast
	take("b", "10.0.0.3")
	take("c", "10.0.0.4")
	take("d", "10.0.0.6")
	take("e", "") // all are used

	release("10.0.0.3")
	take("e", "") // b's address rests
	take("b", "10.0.0.3")
	release("10.0.0.3")
	clk.Advance(time.Minute - 1)
	take("e", "")
	clk.Advance(1)
	take("e", "10.0.0.3") // rested long enough
	take("b", "")         // and is nobody's again

	release("10.0.0.4")
	release("10.0.0.4") // twice does no harm
	clk.Advance(time.Minute)
	take("b", "10.0.0.4")
	release("10.0.0.4")
	take("c", "") // c lost its claim to b
	take("b", "10.0.0.4")
	release("10.9.9.9") // was never given
}

func TestPoolLeavesTrapsOut(t *testing.T) {
	p := newPool(netip.MustParsePrefix("10.0.0.0/22"), 0, time.Now)
	seen := map[netip.Addr]bool{}
	for i := range 4*254 + 1 {
		a, ok := p.take(string(rune(i)))
		if !ok {
			break
		}
		if last := a.As4()[3]; last == 0 || last == 255 || seen[a] {
			t.Fatalf("%s was given", a)
		}
		seen[a] = true
	}
	if len(seen) != 4*254 {
		t.Errorf("%d addresses were given, want %d", len(seen), 4*254)
	}
}

// startOneAddress starts a network that has one address for its devices.
func startOneAddress(t *testing.T, subs []Subscriber) (*Core, *clock) {
	t.Helper()
	c := startCore(t, Config{Subscribers: subs, Pool: netip.MustParsePrefix("10.0.0.0/30"), Gateway: netip.MustParseAddr("10.0.0.2")})
	clk := &clock{now: time.Unix(1e9, 0)}
	c.mu.Lock()
	c.pool.now = clk.Now
	c.mu.Unlock()
	return c, clk
}

// TestAddressesRest follows one address through sessions, and dials all the while.
func TestAddressesRest(t *testing.T) {
	subs := openSubscribers(2)
	c, clk := startOneAddress(t, subs)

	first := activate(t, c, subs[0])
	addr := first.Lease().Addr
	if _, err := c.Attach(subs[1].IMSI, "2"); err != nil {
		t.Fatal(err)
	}
	second := func() (*Session, error) {
		return c.Activate(testContext(t), ActivateRequest{IMSI: subs[1].IMSI})
	}
	wantCause(t, second, CauseInsufficientResources)
	first.Close("off")
	wantCause(t, second, CauseInsufficientResources)
	clk.Advance(defaultRest)
	s, err := second()
	if err != nil {
		t.Fatal(err)
	}
	if s.Lease().Addr != addr {
		t.Fatalf("got %s, want %s", s.Lease().Addr, addr)
	}
	// The first SIM's name must not lead to the second device, which has its address now.
	echo(t, startDevice(t, s), ":7")
	if _, err := c.DialSIM(testContext(t), subs[0].SIMID, 7); err == nil {
		t.Error("a SIM without a session was reached")
	}
	conn, err := c.DialSIM(testContext(t), subs[1].SIMID, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	checkEcho(t, conn, "me")
}
