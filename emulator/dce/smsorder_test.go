package dce

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"minato/agent/cmux"
)

// tappedPort keeps what was on the line.
type tappedPort struct {
	*clientPort
	mu   sync.Mutex
	seen []byte // guarded by mu
}

func (p *tappedPort) Read(b []byte) (int, error) {
	n, err := p.clientPort.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, b[:n]...)
	return n, err
}

// take gives what was on the line since the last call.
func (p *tappedPort) take() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	p.seen = nil
	return seen
}

// TestReportAfterReference sends on one channel, and has the report on all: it is about a message that the network has acknowledged
// (TS 23.040 section 3.2.9), so that the reference in it was told before.
func TestReportAfterReference(t *testing.T) {
	b, u := messageUser(t, nil)
	u.expect("AT+CMGF=1;+CSMP=49,167,0,0;+CNMI=2,0,0,1,0", done)
	u.expect("AT+CMUX=0", done)
	line := &tappedPort{clientPort: &clientPort{u: u, closed: make(chan struct{})}}
	mux := cmux.New(line, cmux.Config{Role: cmux.Initiator, N1: 31})
	ended := make(chan error, 1)
	go func() { ended <- mux.Run(context.Background()) }()
	t.Cleanup(func() { mux.Close(); <-ended })
	one, two := b.channel(mux, 1), b.channel(mux, 2)
	for i := range 100 {
		line.take()
		two.expect(`AT+CMGS="+819000000009"`, "\r\n> ")
		two.send("ahoy\x1a")
		reference := fmt.Sprintf("+CMGS: %d\r", i+1)
		two.await(reference)
		two.await("+CDS: ")
		one.await("+CDS: ")
		one.await("\r\n")
		two.await("\r\n")
		seen := line.take()
		if told, came := bytes.Index(seen, []byte(reference)), bytes.Index(seen, []byte("+CDS: ")); came < told {
			t.Fatalf("message %d: the report came first: %q", i+1, seen)
		}
	}
}

// What the commands before one that asks for text have brought about comes although their line ends with a prompt.
func TestEffectsBeforePrompt(t *testing.T) {
	b, u := messageUser(t, nil)
	u.expect("AT+CMGF=1;+CNMI=2,1", done)
	u.enter(`AT+CMGW="+819000000009"`, "hello\x1a", ok("+CMGW: 0"))
	for before, want := range map[string]string{"+CMSS=0": "+CMTI: ", `+CUSD=1,"*100#"`: "+CUSD: 4"} {
		u.send("AT" + before + `;+CMGS="+819000000009"` + "\r")
		u.await("> ")
		u.send("\x1b")
		u.await("OK\r\n")
		if before == "+CMSS=0" { // no message is let in while the port sends
			b.arrives("hi")
		}
		u.await(want)
	}
}
