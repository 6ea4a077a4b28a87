package ppp_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minato/agent/ppp"
	"minato/agent/ppp/ppptest"
)

// failing is a modem whose faults change while it runs.
func failing(auth ppp.AuthProtocol, activated *atomic.Int32) (ppp.Config, *atomic.Pointer[ppp.Faults]) {
	var faults atomic.Pointer[ppp.Faults]
	faults.Store(&ppp.Faults{})
	return ppp.Config{Server: &ppp.Server{
		Auth: auth, Faults: func() ppp.Faults { return *faults.Load() },
		Activate: func(ctx context.Context, c ppp.Credentials) (ppp.Lease, error) {
			activated.Add(1)
			return grant(ctx, c)
		},
	}}, &faults
}

// TestServerFaults: what the client of a failing modem ends with, and whether the network was asked.
func TestServerFaults(t *testing.T) {
	for _, tt := range []struct {
		name      string
		auth      ppp.AuthProtocol
		faults    ppp.Faults
		client    ppp.Config
		want      error
		text      string // in what the modem ends with
		activated int32
	}{
		{name: "silent IPCP", faults: ppp.Faults{IPCPSilent: true}, want: ppp.ErrNoAddress, text: "IPCP: no agreement"},
		{name: "never ready", faults: ppp.Faults{NotReady: true}, want: ppp.ErrNoAddress},
		{name: "CHAP refused", auth: ppp.AuthCHAP, faults: ppp.Faults{RefuseAuth: true, Message: "no"}, want: ppp.ErrAuthRefused, text: "CHAP"},
		{name: "PAP refused", auth: ppp.AuthPAP, faults: ppp.Faults{RefuseAuth: true, Message: strings.Repeat("n", 300)}, want: ppp.ErrAuthRefused, text: "PAP"},
		{name: "asked in order to refuse", faults: ppp.Faults{RefuseAuth: true}, want: ppp.ErrAuthRefused, text: "CHAP"},
		{name: "echoes", faults: ppp.Faults{EchoSilent: true}, client: ppp.Config{EchoInterval: time.Second}, want: ppp.ErrDeadLink, activated: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var activated atomic.Int32
			server, faults := failing(tt.auth, &activated)
			faults.Store(&tt.faults)
			bubble(t, ppptest.Pass, tt.client, server, func(t *testing.T, l *link) {
				if err := <-l.client.err; !errors.Is(err, tt.want) {
					t.Errorf("the client ended with %v, want %v", err, tt.want)
				}
				if err := <-l.modem.err; err == nil || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("the modem ended with %v, want %q", err, tt.text)
				}
			})
			if n := activated.Load(); n != tt.activated {
				t.Errorf("the network was asked %d times, want %d", n, tt.activated)
			}
		})
	}
}

// TestFaultsComeAndGo: the bearer becomes ready, echoes are lost for a while, and the link stays.
func TestFaultsComeAndGo(t *testing.T) {
	var activated atomic.Int32
	server, faults := failing(ppp.AuthNone, &activated)
	faults.Store(&ppp.Faults{IPCPSilent: true})
	bubble(t, ppptest.Pass, ppp.Config{EchoInterval: 10 * time.Second}, server, func(t *testing.T, l *link) {
		time.Sleep(5 * time.Second)
		faults.Store(&ppp.Faults{})
		await(t, l.client)
		faults.Store(&ppp.Faults{EchoSilent: true})
		time.Sleep(15 * time.Second)
		faults.Store(&ppp.Faults{})
		time.Sleep(2 * time.Minute)
		select {
		case err := <-l.client.err:
			t.Errorf("the client ended with %v", err)
		default:
		}
	})
}
