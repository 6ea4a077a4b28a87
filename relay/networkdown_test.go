package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// While the closed network is down, what looks for the reason finds it: the error log, the diagnosis, the health.
func TestNetworkIsDown(t *testing.T) {
	networks, good := make(chan Network, 1), device(t, echo)
	networks <- SOCKSNetwork{Addr: "127.0.0.1:1"} // where nothing listens
	r := startRelay(t, Config{Network: networkFunc(func(ctx context.Context, sim string, port uint16) (net.Conn, error) {
		n := <-networks
		networks <- n
		return n.DialSIM(ctx, sim, port)
	})})
	m := r.mapping(false)
	for range unreachedDials {
		if h, err := r.Health(t.Context()); err != nil || h.Status != "ok" {
			t.Errorf("health %+v, %v before %d dials", h, err, unreachedDials)
		}
		conn := r.dial(m)
		expectEOF(t, conn)
		conn.Close()
		r.awaitAuditOf(conn)
	}
	if h, err := r.Health(t.Context()); err != nil || h.Status != "degraded" || len(h.Problems) != 1 || h.Problems[0].Part != "network" {
		t.Errorf("health %+v, %v", h, err)
	}
	if _, body, _ := r.request("GET", "/v1/logs?service=Napter", "", nil); strings.Count(body, `"code":"R37"`) != unreachedDials {
		t.Errorf("the error log is %s", body)
	}
	d, err := r.Diagnose(t.Context(), m.IPAddress, m.Port, "")
	if err != nil || d.OK || d.FailedStep != stepDevice || d.Code != "R37" {
		t.Errorf("diagnosis %+v, %v", d, err)
	}
	<-networks
	networks <- good
	r.opened(m)
	if h, err := r.Health(t.Context()); err != nil || h.Status != "ok" {
		t.Errorf("health %+v, %v once a device is reached", h, err)
	}
}

// One device that a gateway has lost is no word about the closed network, however often it is dialled; two are, and a way that is gone needs only one.
func TestOneDeviceIsGone(t *testing.T) {
	for _, tt := range []struct {
		name    string
		kernel  syscall.Errno
		sims    []string
		problem bool
	}{
		{"one device", syscall.EHOSTUNREACH, []string{simA, simA, simA, simA}, false},
		{"two devices", syscall.EHOSTUNREACH, []string{simA, simB, simA}, true},
		{"no route", syscall.ENETUNREACH, []string{simA, simA, simA}, true},
		{"no descriptors", syscall.EMFILE, []string{simA, simB, simA}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			here := netip.MustParseAddr("127.0.0.1")
			r := startRelay(t, Config{Network: &RouteNetwork{
				Directory: fixedDirectory{{ID: simA, Online: true, Addr: here}, {ID: simB, Online: true, Addr: here}},
				Dialer:    net.Dialer{Control: func(string, string, syscall.RawConn) error { return tt.kernel }},
			}})
			for _, sim := range tt.sims {
				if _, err := r.dialDevice(t.Context(), sim, 80); causeOfDial(err) != CauseNetworkUnreachable {
					t.Errorf("dialling: %v, want R37", err)
				}
			}
			if h, err := r.Health(t.Context()); err != nil || (h.Status == "degraded") != tt.problem {
				t.Errorf("health %+v, %v; want a problem: %t", h, err, tt.problem)
			}
		})
	}
}

// silentDirectory is a directory whose API fails when a SIM is to be dialled.
type silentDirectory struct{ fixedDirectory }

func (silentDirectory) FreshSIM(context.Context, string) (SIM, error) {
	return SIM{}, errors.New("503")
}

// A directory that fails is named in the log, and is nothing that the health says of the closed network.
func TestDirectoryIsDown(t *testing.T) {
	r := startRelay(t, Config{Network: &RouteNetwork{Directory: silentDirectory{}}})
	m := r.mapping(false)
	for range unreachedDials {
		conn := r.dial(m)
		expectEOF(t, conn)
		conn.Close()
		if e := r.awaitAuditOf(conn); e.Code != "R37" || !strings.Contains(e.CloseReason, ErrDirectory.Error()) || strings.Contains(e.CloseReason, ErrNetwork.Error()) {
			t.Errorf("audit entry %+v; want R37 that names the directory", e)
		}
	}
	if h, err := r.Health(t.Context()); err != nil || h.Status != "ok" {
		t.Errorf("health %+v, %v", h, err)
	}
}

// A client whose mistake has no number is in the error log, too.
func TestDenialWithoutNumberIsLogged(t *testing.T) {
	r := startRelay(t, Config{})
	conn := r.dial(r.mapping(true))
	io.WriteString(conn, hello(&tls.Config{}))
	conn.CloseWrite()
	io.Copy(io.Discard, conn)
	conn.Close()
	if e := r.awaitAuditOf(conn); e.Type != relayapi.AuditDenied || e.Code != "" {
		t.Errorf("audit entry %+v; want DENIED without a code", e)
	}
	if _, body, _ := r.request("GET", "/v1/logs", "", nil); !strings.Contains(body, `"DENIED"`) {
		t.Errorf("the error log is %s", body)
	}
}

// A SOCKS5 server that takes connections and says nothing is a part of the relay's own way: it is R37, not the device's R10.
func TestSOCKSServerIsMute(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // the kernel takes the connections
	r := startRelay(t, Config{DialTimeout: 100 * time.Millisecond, Network: SOCKSNetwork{Addr: l.Addr().String()}})
	if _, err := r.dialDevice(t.Context(), simA, 80); causeOfDial(err) != CauseNetworkUnreachable {
		t.Errorf("dialling: %v, which is %q; want R37", err, causeOfDial(err))
	}
}

// A dial whose caller has gone says nothing of the device, nor of the network.
func TestDialThatNobodyWaitsFor(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked := make(chan struct{})
	var server sync.WaitGroup
	server.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Write([]byte{5, 0}) // no log-in
		io.ReadFull(conn, make([]byte, 3+4))
		close(asked)
		io.Copy(io.Discard, conn)
	})
	defer server.Wait()
	r := startRelay(t, Config{DialTimeout: patience, Network: SOCKSNetwork{Addr: l.Addr().String()}})
	for range 2 {
		r.reach.note(time.Now(), simA, ErrNetwork)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := r.dialDevice(ctx, simA, 80); causeOfDial(err) != "" {
		t.Errorf("dialling: %v, which is %q; want no cause", err, causeOfDial(err))
	}
	if n := r.reach.unreached(time.Now()); n != 2 {
		t.Errorf("%d dials did not get there, want 2 as before", n)
	}
}

// What a diagnosis and the log say is what the cause says, also where the relay's own way took too long.
func TestWayThatTakesTooLong(t *testing.T) {
	for _, way := range []error{ErrNetwork, ErrDirectory} {
		r := startRelay(t, Config{DialTimeout: 50 * time.Millisecond, Network: networkFunc(func(ctx context.Context, _ string, _ uint16) (net.Conn, error) {
			<-ctx.Done()
			return nil, fmt.Errorf("%w: %w", way, ctx.Err())
		})})
		m := r.mapping(false)
		d, err := r.Diagnose(t.Context(), m.IPAddress, m.Port, "")
		if err != nil || d.Code != "R37" {
			t.Fatalf("diagnosis %+v, %v", d, err)
		}
		i := slices.IndexFunc(d.Steps, func(s relayapi.DiagnosisStep) bool { return s.Step == stepDevice })
		conn := r.dial(m)
		expectEOF(t, conn)
		conn.Close()
		e := r.awaitAuditOf(conn)
		for _, said := range []string{d.Steps[i].Finding, e.CloseReason} {
			if e.Code != "R37" || strings.Contains(said, ErrTimeout.Error()) || !strings.Contains(said, way.Error()) {
				t.Errorf("%s: %q; want R37, %q", e.Code, said, way)
			}
		}
	}
}
