package relay

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"minato/relay/splice"
)

// R18: a device that takes the first bytes and then no more.
func TestStalled(t *testing.T) {
	done := make(chan struct{})
	r := startRelay(t, Config{StallTimeout: 200 * time.Millisecond, Network: device(t, func(c *net.TCPConn) {
		c.SetReadBuffer(4096)
		io.ReadFull(c, make([]byte, 5))
		io.WriteString(c, "first")
		<-done
	})})
	t.Cleanup(func() { close(done) }) // before the device is waited for
	conn := r.dial(r.mapping(false))
	io.WriteString(conn, "first")
	if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	go func() { // ends when the relay gives the connection up
		b := make([]byte, 1<<20)
		for {
			if _, err := conn.Write(b); err != nil {
				return
			}
		}
	}()
	expectEOF(t, conn)
	conn.Close()
	r.expectCause("R18", "CLOSED")
}

// R18 is the device's: what broke, and for how long bytes had waited for it.
func TestStalledIsTheDevice(t *testing.T) {
	c := &connection{mapping: &portMapping{}, relay: &Relay{cfg: Config{StallTimeout: time.Minute}}}
	timedOut := os.NewSyscallError("write", syscall.ETIMEDOUT)
	for name, tt := range map[string]struct {
		res  splice.Result
		want Cause
	}{
		"device given up":                   {splice.Result{End: splice.TargetError, Err: timedOut}, CauseStalled},
		"client given up":                   {splice.Result{End: splice.ClientError, Err: timedOut}, ""},
		"device reset after a stall":        {splice.Result{End: splice.TargetError, Err: syscall.ECONNRESET, Quiet: stallTime, Unsent: 1}, CauseStalled},
		"client left during a stall":        {splice.Result{End: splice.ClientError, Err: syscall.ECONNRESET, Quiet: stallTime, Unsent: 1}, CauseStalled},
		"device reset in the middle of all": {splice.Result{End: splice.TargetError, Err: syscall.ECONNRESET, Quiet: time.Second, Unsent: 1}, ""},
		"silence":                           {splice.Result{End: splice.ClientClosed, Quiet: time.Hour}, ""},
	} {
		tt.res.Stats = splice.Stats{Up: 1, Down: 1}
		if got := c.causeOfEnd(tt.res); got != tt.want {
			t.Errorf("%s: cause %q, want %q", name, got, tt.want)
		}
	}
}
