package core

import (
	"net"
	"sync"
	"sync/atomic"

	"minato/agent/netstack"
)

// acceptFlows serves a device's connections to the network until the gateway ends, and then has waited for them. Those beyond limit
// are reset: a device that opens more at once has lost count.
func (s *Session) acceptFlows(l net.Listener, limit int32, serve func(*doorConn)) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer l.Close()
	var open atomic.Int32
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		flow := &doorConn{Conn: conn.(*netstack.Conn), session: s}
		if open.Add(1) > limit {
			open.Add(-1)
			s.core.log.Info("connection refused: too many are open", "session", s.id, "to", conn.LocalAddr(), "limit", limit)
			flow.Abort()
			flow.Close()
			continue
		}
		wg.Go(func() {
			defer open.Add(-1)
			defer flow.Close()
			serve(flow)
		})
	}
}
