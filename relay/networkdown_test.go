package relay

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

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
