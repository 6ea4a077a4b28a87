package relay

import (
	"context"
	"net"
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
