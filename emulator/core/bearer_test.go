package core

import (
	"errors"
	"net/netip"
	"testing"
)

// TestDefaultBearerKeepsTheAddress follows the one address of a pool: the SIM has it from its attach to its detach, in each session.
func TestDefaultBearerKeepsTheAddress(t *testing.T) {
	subs := openSubscribers(2)
	c, clk := startOneAddress(t, subs)
	first, second := ActivateRequest{IMSI: subs[0].IMSI}, ActivateRequest{IMSI: subs[1].IMSI}
	for _, s := range subs {
		if _, err := c.Attach(s.IMSI, "1"); err != nil {
			t.Fatal(err)
		}
	}
	lease, err := c.DefaultBearer(first)
	if err != nil || len(lease.DNS) == 0 {
		t.Fatalf("%+v, %v", lease, err)
	}
	if again, err := c.DefaultBearer(first); err != nil || again.Addr != lease.Addr {
		t.Errorf("asked again: %v, %v", again.Addr, err)
	}
	noRoom := func(what string) {
		t.Helper()
		clk.Advance(2 * defaultRest)
		var r *Reject
		if _, err := c.DefaultBearer(second); !errors.As(err, &r) || r.Cause != CauseInsufficientResources {
			t.Errorf("%s: the other SIM's bearer: %v", what, err)
		}
		if _, err := c.Activate(testContext(t), second); !errors.As(err, &r) || r.Cause != CauseInsufficientResources {
			t.Errorf("%s: the other SIM's session: %v", what, err)
		}
	}
	noRoom("before the session")
	if st := c.Subscribers()[0]; st.Online || !st.Attached {
		t.Errorf("online without a session: %+v", st)
	}
	if _, err := c.DialSIM(testContext(t), subs[0].SIMID, 7); !errors.Is(err, ErrOffline) {
		t.Errorf("the door says %v", err)
	}
	for range 2 {
		s, err := c.Activate(testContext(t), first)
		if err != nil || s.Lease().Addr != lease.Addr {
			t.Fatalf("the session: %v", err)
		}
		noRoom("in the session")
		s.Close("the call ended")
		noRoom("after the session")
	}

	s, err := c.Activate(testContext(t), first)
	if err != nil {
		t.Fatal(err)
	}
	c.Detach(subs[0].IMSI)
	<-s.Done()
	if got, err := c.DefaultBearer(second); err == nil {
		t.Errorf("the address did not rest: %v", got)
	}
	clk.Advance(defaultRest)
	if got, err := c.DefaultBearer(second); err != nil || got.Addr != lease.Addr {
		t.Errorf("after the detach: %v, %v", got.Addr, err)
	}
	c.Detach(subs[1].IMSI) // without a session, too, it is given back
	clk.Advance(defaultRest)
	if _, err := c.Attach(subs[0].IMSI, "1"); err != nil {
		t.Fatal(err)
	}
	if got, err := c.DefaultBearer(first); err != nil || got.Addr != lease.Addr {
		t.Errorf("after the other one's detach: %v, %v", got.Addr, err)
	}
}

// TestDefaultBearerRejects: it is refused for what there is not, and asks for no password.
func TestDefaultBearerRejects(t *testing.T) {
	secured, fixed, away := DefaultSubscriber(0), openSubscriber(1), openSubscriber(2)
	fixed.Addr = netip.MustParseAddr("192.0.2.7")
	c := startCore(t, Config{Subscribers: []Subscriber{secured, fixed, away}})
	for _, s := range []Subscriber{secured, fixed} {
		if _, err := c.Attach(s.IMSI, "1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		req  ActivateRequest
		want Cause // 0: accepted
	}{
		{"no password", ActivateRequest{IMSI: secured.IMSI, APN: "SORACOM.io", Type: "IPV4V6"}, 0},
		{"unknown APN", ActivateRequest{IMSI: secured.IMSI, APN: "internet"}, CauseUnknownAPN},
		{"IPV6", ActivateRequest{IMSI: secured.IMSI, Type: "IPV6"}, CauseIPv4Only},
		{"not attached", ActivateRequest{IMSI: away.IMSI}, CauseProtocolState},
		{"unknown IMSI", ActivateRequest{IMSI: "001010000000000"}, CauseServicesNotAllowed},
	} {
		_, err := c.DefaultBearer(tt.req)
		var r *Reject
		switch {
		case tt.want == 0 && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != 0 && (!errors.As(err, &r) || r.Cause != tt.want):
			t.Errorf("%s: %v, want cause %d", tt.name, err, tt.want)
		}
	}
	if got, err := c.DefaultBearer(ActivateRequest{IMSI: fixed.IMSI}); err != nil || got.Addr != fixed.Addr {
		t.Errorf("a fixed address: %v, %v", got.Addr, err)
	}
}
