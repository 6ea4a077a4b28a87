package relay

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// R06: the silent client gets its end in time; the device's banner says what it waited for, and is asked for once.
func TestSilenceIsProbed(t *testing.T) {
	asked := make(chan struct{}, 10)
	r := startRelay(t, Config{SilenceTimeout: 50 * time.Millisecond, Network: device(t, func(c *net.TCPConn) {
		asked <- struct{}{}
		speaks("RFB 003.008\n")(c)
	})})
	m := r.mapping(true)
	for range 2 {
		conn := r.dial(m)
		expectEOF(t, conn)
		conn.Close()
		r.awaitAuditOf(conn)
	}
	e := r.expectCause("R06", "DENIED")
	if e.DeviceProtocol != "rfb" || !strings.Contains(e.CloseReason, "VNC") {
		t.Errorf("audit entry %+v; want the device's protocol", e)
	}
	if n := len(asked); n != 1 {
		t.Errorf("the device was asked %d times", n)
	}
}

// A silent client that is cut while the device is asked leaves the question to the next one.
func TestCutSilenceIsProbedAgain(t *testing.T) {
	asked := make(chan struct{}, 10)
	waits, vnc := make(chan bool, 1), device(t, speaks("RFB 003.008\n"))
	waits <- true
	r := startRelay(t, Config{SilenceTimeout: 50 * time.Millisecond, DialTimeout: patience,
		Network: networkFunc(func(ctx context.Context, sim string, port uint16) (net.Conn, error) {
			asked <- struct{}{}
			first := <-waits
			waits <- false
			if first {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return vnc.DialSIM(ctx, sim, port)
		})})
	m := r.mapping(true)
	first := r.dial(m)
	<-asked
	list, err := r.Connections(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := r.CutConnection(t.Context(), list[0].ConnectionID); err != nil {
		t.Fatal(err)
	}
	r.awaitAuditOf(first)
	second := r.dial(m)
	expectEOF(t, second)
	second.Close()
	r.awaitAuditOf(second)
	if e := r.expectCause("R06", "DENIED"); e.DeviceProtocol != "rfb" {
		t.Errorf("audit entry %+v; want the device's protocol", e)
	}
}

// What is said of a device that a silent client waits for is what was heard of it.
func TestSilenceSaysWhatWasHeard(t *testing.T) {
	const mysql = "\x4a\x00\x00\x00\x0a8.0.36\x00" // length, sequence 0, protocol 10, version (MySQL's HandshakeV10)
	for _, tt := range []struct {
		name    string
		network Network
		says    string
	}{
		{"waits", device(t, echo), "does not speak first either"},
		{"speaks what nobody knows", device(t, speaks(mysql)), "speaks an unknown protocol"},
		{"hangs up", device(t, func(*net.TCPConn) {}), "closes a silent connection"},
		{"offline", dialError(ErrOffline), "not reached: " + ErrOffline.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := startRelay(t, Config{SilenceTimeout: 50 * time.Millisecond, Network: tt.network})
			conn := r.dial(r.mapping(true))
			expectEOF(t, conn)
			conn.Close()
			r.awaitAuditOf(conn)
			if e := r.expectCause("R06", "DENIED"); !strings.Contains(e.CloseReason, tt.says) {
				t.Errorf("close reason %q, want %q", e.CloseReason, tt.says)
			}
		})
	}
}

// That a device could not be asked is not kept for long, the question has a bound of its own, and a diagnosis answers it, too.
func TestDiagnosisRefreshesTheProbe(t *testing.T) {
	bound, networks := make(chan time.Duration, 10), make(chan Network, 1)
	networks <- dialError(ErrOffline)
	r := startRelay(t, Config{SilenceTimeout: 50 * time.Millisecond, DialTimeout: patience,
		Network: networkFunc(func(ctx context.Context, sim string, port uint16) (net.Conn, error) {
			deadline, _ := ctx.Deadline()
			bound <- time.Until(deadline)
			n := <-networks
			networks <- n
			return n.DialSIM(ctx, sim, port)
		})})
	m := r.mapping(true)
	silent := func() {
		conn := r.dial(m)
		expectEOF(t, conn)
		conn.Close()
		r.awaitAuditOf(conn)
	}
	silent()
	if b := <-bound; b > probeDial {
		t.Errorf("the dial may take %v, want %v", b, probeDial)
	}
	b := &r.mappings.get(netip.AddrPortFrom(netip.MustParseAddr(m.IPAddress), uint16(m.Port))).deviceBanner
	b.mu.Lock()
	if kept := time.Until(b.until); kept > probeFailure {
		t.Errorf("%+v is kept for %v, want %v", b.known, kept, probeFailure)
	}
	b.mu.Unlock()
	<-networks
	networks <- device(t, speaks("RFB 003.008\n"))
	if d, err := r.Diagnose(t.Context(), m.IPAddress, m.Port, ""); err != nil || !d.OK {
		t.Errorf("diagnosis %+v, %v", d, err)
	}
	silent()
	if e := r.expectCause("R06", "DENIED"); e.DeviceProtocol != "rfb" {
		t.Errorf("audit entry %+v; want the device's protocol", e)
	}
}

// A service that was in order minutes ago, and now hangs up on all, is R17: not R07, on the word of then.
func TestServiceFailsAfterProbe(t *testing.T) {
	networks := make(chan Network, 1)
	networks <- device(t, echo)
	r := startRelay(t, Config{Network: networkFunc(func(ctx context.Context, sim string, port uint16) (net.Conn, error) {
		n := <-networks
		networks <- n
		return n.DialSIM(ctx, sim, port)
	})})
	m := r.mapping(false)
	if d, err := r.Diagnose(t.Context(), m.IPAddress, m.Port, ""); err != nil || !d.OK {
		t.Errorf("diagnosis %+v, %v", d, err)
	}
	<-networks
	networks <- device(t, func(*net.TCPConn) {})
	b := &r.mappings.get(netip.AddrPortFrom(netip.MustParseAddr(m.IPAddress), uint16(m.Port))).deviceBanner
	b.mu.Lock()
	b.asked, b.until = b.asked.Add(-time.Minute), b.until.Add(-time.Minute)
	b.mu.Unlock()
	conn := r.dial(m)
	if err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake(); err == nil {
		t.Error("a handshake with a device that hangs up was good")
	}
	conn.Close()
	if e := r.awaitAuditOf(conn); e.Code != "R17" {
		t.Errorf("audit entry %+v, want R17", e)
	}
}
