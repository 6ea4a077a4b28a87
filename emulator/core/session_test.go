package core

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"minato/agent/ppp"
)

func TestRejects(t *testing.T) {
	secured, free := DefaultSubscriber(0), openSubscriber(1)
	away := openSubscriber(2)
	c := startCore(t, Config{Subscribers: []Subscriber{secured, free, away}})
	for _, s := range []Subscriber{secured, free} {
		if _, err := c.Attach(s.IMSI, "1"); err != nil {
			t.Fatal(err)
		}
	}
	challenge := []byte("0123456789abcdef")
	chap := func(password string) ppp.Credentials { // RFC 1994 section 4.1: MD5 of identifier, secret, challenge
		sum := md5.Sum(append(append([]byte{7}, password...), challenge...))
		return ppp.Credentials{Protocol: ppp.AuthCHAP, Name: "sora", ID: 7, Challenge: challenge, Response: sum[:]}
	}
	pap := func(name, password string) ppp.Credentials {
		return ppp.Credentials{Protocol: ppp.AuthPAP, Name: name, Password: password}
	}
	tests := []struct {
		name string
		req  ActivateRequest
		want Cause // 0: accepted
	}{
		{"PAP", ActivateRequest{secured.IMSI, "soracom.io", pap("sora", "sora"), ""}, 0},
		{"CHAP", ActivateRequest{secured.IMSI, "soracom.io", chap("sora"), ""}, 0},
		{"APN in capitals", ActivateRequest{secured.IMSI, "SORACOM.IO", pap("sora", "sora"), ""}, 0},
		{"no APN", ActivateRequest{secured.IMSI, "", pap("sora", "sora"), ""}, 0},
		{"no credentials needed", ActivateRequest{free.IMSI, "soracom.io", ppp.Credentials{}, ""}, 0},
		{"credentials nobody asked for", ActivateRequest{free.IMSI, "soracom.io", pap("a", "b"), ""}, 0},
		{"no credentials", ActivateRequest{secured.IMSI, "soracom.io", ppp.Credentials{}, ""}, CauseAuthenticationFailed},
		{"PAP password", ActivateRequest{secured.IMSI, "soracom.io", pap("sora", "Sora"), ""}, CauseAuthenticationFailed},
		{"PAP name", ActivateRequest{secured.IMSI, "soracom.io", pap("", "sora"), ""}, CauseAuthenticationFailed},
		{"CHAP secret", ActivateRequest{secured.IMSI, "soracom.io", chap("arora"), ""}, CauseAuthenticationFailed},
		{"unknown APN", ActivateRequest{free.IMSI, "internet", ppp.Credentials{}, ""}, CauseUnknownAPN},
		{"IPV4V6", ActivateRequest{free.IMSI, "soracom.io", ppp.Credentials{}, "IPV4V6"}, 0},
		{"IPV6", ActivateRequest{free.IMSI, "soracom.io", ppp.Credentials{}, "IPV6"}, CauseIPv4Only},
		{"PPP", ActivateRequest{free.IMSI, "soracom.io", ppp.Credentials{}, "PPP"}, CauseUnknownPDNType},
		{"unknown IMSI", ActivateRequest{"001010000000000", "soracom.io", ppp.Credentials{}, ""}, CauseServicesNotAllowed},
		{"not attached", ActivateRequest{away.IMSI, "soracom.io", ppp.Credentials{}, ""}, CauseProtocolState},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := c.Activate(testContext(t), tt.req)
			if tt.want == 0 {
				if err != nil {
					t.Fatal(err)
				}
				s.Close("test over")
				return
			}
			var r *Reject
			if !errors.As(err, &r) || r.Cause != tt.want {
				t.Fatalf("error %v, want cause %d", err, tt.want)
			}
			if strings.Contains(err.Error(), "Sora") {
				t.Errorf("%q shows the password", err)
			}
		})
	}
	var r *Reject
	if _, err := c.Attach("001010000000000", "1"); !errors.As(err, &r) || r.Cause != CauseServicesNotAllowed {
		t.Errorf("attach of an unknown IMSI: %v", err)
	}
}

func TestStatus(t *testing.T) {
	subs := openSubscribers(2)
	c := startCore(t, Config{Subscribers: subs})
	s := activate(t, c, subs[1])
	list := c.Subscribers()
	if len(list) != 2 || list[0].Attached || list[0].Online || !list[1].Attached || !list[1].Online {
		t.Fatalf("status %+v", list)
	}
	if got := list[1]; got.IMEI != "860000012345678" || got.Session.Addr != s.Lease().Addr || got.Session.ID == "" || got.Session.APN != "soracom.io" {
		t.Errorf("status %+v", got)
	}
	c.Detach(subs[1].IMSI)
	<-s.Done()
	if got := s.Reason(); got != "the modem detached" {
		t.Errorf("reason %q", got)
	}
	if got := c.Subscribers()[1]; got.Attached || got.Online {
		t.Errorf("after detach: %+v", got)
	}
	s.Close("again")
	if got := s.Reason(); got != "the modem detached" {
		t.Errorf("a later close changed the reason to %q", got)
	}
}

// TestReplaced activates twice: the first session ends and the device keeps its address.
func TestReplaced(t *testing.T) {
	subs := openSubscribers(1)
	c := startCore(t, Config{Subscribers: subs})
	first := activate(t, c, subs[0])
	second, err := c.Activate(testContext(t), ActivateRequest{IMSI: subs[0].IMSI})
	if err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	if first.Lease().Addr != second.Lease().Addr {
		t.Errorf("the address changed from %s to %s", first.Lease().Addr, second.Lease().Addr)
	}
	first.Close("late") // must not disturb the second
	host := startDevice(t, second)
	echo(t, host, ":7")
	conn, err := c.DialSIM(testContext(t), subs[0].SIMID, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	checkEcho(t, conn, "still here")
}

// TestManyActivations has everybody activate and detach at once; TestMain and the race detector look at what remains.
func TestManyActivations(t *testing.T) {
	subs := openSubscribers(4)
	c := startCore(t, Config{Subscribers: subs, Rest: -1, Pool: netip.MustParsePrefix("10.9.8.0/29")})
	var wg sync.WaitGroup
	for i := range 32 {
		sub := subs[i%len(subs)]
		wg.Go(func() {
			for range 20 {
				c.Attach(sub.IMSI, "1")
				s, err := c.Activate(context.Background(), ActivateRequest{IMSI: sub.IMSI})
				var r *Reject
				if err != nil && (!errors.As(err, &r) || r.Cause != CauseProtocolState) {
					t.Errorf("activate: %v", err)
				}
				if i%3 == 0 {
					c.Detach(sub.IMSI)
				} else if s != nil {
					s.Close("done")
				}
			}
		})
	}
	wg.Wait()
	for _, s := range subs {
		c.Detach(s.IMSI)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.routes) != 0 || len(c.pool.used) != 0 {
		t.Errorf("%d routes and %d addresses are left", len(c.routes), len(c.pool.used))
	}
}

// TestCutInTheMiddle ends a session while bytes run both ways.
func TestCutInTheMiddle(t *testing.T) {
	subs := openSubscribers(1)
	c := startCore(t, Config{Subscribers: subs})
	s := activate(t, c, subs[0])
	host := startDevice(t, s)
	echo(t, host, ":7")
	conn, err := c.DialSIM(testContext(t), subs[0].SIMID, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))

	flowing := make(chan struct{})
	results := make(chan error, 2)
	go func() {
		var once sync.Once
		for {
			if _, err := conn.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				results <- err
				return
			}
			once.Do(func() { close(flowing) })
		}
	}()
	go func() { _, err := io.Copy(io.Discard, conn); results <- err }()
	<-flowing
	s.Close("the modem went away")
	for range 2 {
		if err := <-results; !errors.Is(err, ErrOffline) || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a direction ended with %v", err)
		}
	}
	if _, err := c.DialSIM(testContext(t), subs[0].SIMID, 7); !errors.Is(err, ErrOffline) {
		t.Errorf("dialling afterwards: %v", err)
	}
}

// TestCutWhileDialling ends a session whose device does not answer.
func TestCutWhileDialling(t *testing.T) {
	subs := openSubscribers(1)
	c := startCore(t, Config{Subscribers: subs, DialTimeout: patience})
	s := activate(t, c, subs[0])
	syn := make(chan struct{})
	var once sync.Once
	s.Attach(func([][]byte) error { once.Do(func() { close(syn) }); return nil })
	result := make(chan error, 1)
	go func() { _, err := c.DialSIM(context.Background(), subs[0].SIMID, 7); result <- err }()
	<-syn
	s.Close("gone")
	if err := <-result; !errors.Is(err, ErrOffline) {
		t.Errorf("the dial ended with %v, want %v", err, ErrOffline)
	}
}

// TestEnd ends the network below open sessions and connections.
func TestEnd(t *testing.T) {
	subs := openSubscribers(2)
	c, err := New(Config{Subscribers: subs})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	<-c.Ready()
	s := activate(t, c, subs[0])
	host := startDevice(t, s)
	echo(t, host, ":7")
	conn, err := c.DialSIM(testContext(t), subs[0].SIMID, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if _, err := conn.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("read: %v", err)
	}
	if _, err := c.Attach(subs[1].IMSI, "1"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("attach: %v", err)
	}
	if _, err := c.Activate(testContext(t), ActivateRequest{IMSI: subs[1].IMSI}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("activate: %v", err)
	}
	if err := c.Run(context.Background()); err == nil {
		t.Error("a network ran twice")
	}
}
