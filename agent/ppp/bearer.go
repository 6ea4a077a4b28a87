package ppp

import (
	"context"
	"time"
)

// notReadyAfter is how long a Configure-Request waits for the network before the peer is told to ask again. Without it a peer that
// asks again at once would use up its patience, counted in naks, within milliseconds.
const notReadyAfter = time.Second

// bearer is the server's view of the network: it asks once, and holds the peer's requests meanwhile.
type bearer struct {
	server      *Server
	policy      *ipcpServer
	credentials Credentials

	asked   bool
	done    chan granted  // one answer
	running chan struct{} // closed when Activate has returned; nil before it is called
	held    *packet
	timer   *time.Timer
}

// granted is what Activate returned.
type granted struct {
	lease Lease
	err   error
}

func newBearer(s *Server, policy *ipcpServer) *bearer {
	return &bearer{server: s, policy: policy, done: make(chan granted, 1), timer: stoppedTimer()}
}

// hold keeps a Configure-Request that would be told "not ready" now, and asks the network if nobody has.
func (b *bearer) hold(ctx context.Context, p packet) bool {
	if b.policy.lease != nil {
		return false
	}
	if !b.asked {
		b.asked, b.running = true, make(chan struct{})
		go b.activate(ctx, b.credentials)
	}
	opts, err := parseOptions(p.data)
	if err != nil || len(b.policy.judge(opts).reject) > 0 {
		return false
	}
	if b.held == nil {
		b.timer.Reset(notReadyAfter)
	}
	b.held = &p // a repetition takes the place of the first
	return true
}

// release gives back what hold kept.
func (b *bearer) release() (packet, bool) {
	b.timer.Stop()
	if b.held == nil {
		return packet{}, false
	}
	p := *b.held
	b.held = nil
	return p, true
}

// activate ends when the network has answered or ctx ends; Run waits for it.
func (b *bearer) activate(ctx context.Context, c Credentials) {
	defer close(b.running)
	lease, err := b.server.Activate(ctx, c)
	b.done <- granted{lease, err}
}

// wait returns when Activate has.
func (b *bearer) wait() {
	if b.running != nil {
		<-b.running
	}
}
