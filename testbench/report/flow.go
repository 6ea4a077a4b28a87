package report

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/gopacket/gopacket/layers"
)

// tracker follows the TCP connections of a capture and makes arrows of what passes.
type tracker struct {
	o      LadderOptions
	ladder *Ladder
	flows  map[[2]netip.AddrPort]*flow // by client and server
	number int
	began  time.Time
}

// flow is one TCP connection.
type flow struct {
	number int
	up     stream // client to server
	down   stream
	closed bool // a new SYN begins another connection
}

func newTracker(o LadderOptions) *tracker {
	l := &Ladder{Left: o.Left, Right: o.Right}
	if l.Left == "" {
		l.Left = "client"
	}
	if l.Right == "" {
		l.Right = "relay"
	}
	return &tracker{o: o, ladder: l, flows: make(map[[2]netip.AddrPort]*flow)}
}

func (t *tracker) note(format string, args ...any) {
	if t.ladder.Note == "" {
		t.ladder.Note = fmt.Sprintf(format, args...)
	}
}

func (t *tracker) finish() *Ladder {
	t.ladder.elide()
	return t.ladder
}

func (t *tracker) packet(data []byte, linkType layers.LinkType, at time.Time) {
	s, ok := decodeSegment(data, linkType)
	if !ok {
		return
	}
	f, toRight := t.flow(s)
	if f == nil {
		return
	}
	if t.began.IsZero() {
		t.began = at
	}
	since := max(at.Sub(t.began), 0)
	emit := func(kind Kind, label string, bytes int) {
		t.ladder.add(Arrow{At: since, ToRight: toRight, Flow: f.number, Kind: kind, Label: label, Bytes: bytes})
	}
	st := &f.down
	if toRight {
		st = &f.up
	}
	if s.syn {
		label := "SYN"
		if s.ack {
			label = "SYN, ACK"
		}
		if f.number > 1 {
			label = fmt.Sprintf("%s (connection %d)", label, f.number)
		}
		emit(KindTCP, label, 0)
		st.start(s.seq + 1)
	}
	if st.segment(s, emit) {
		t.note("some packets are missing from the capture")
	}
	if s.fin && !st.ended {
		st.ended = true
		emit(KindTCP, "FIN", 0)
	}
	if s.rst {
		emit(KindReset, "RST", 0)
	}
	f.closed = f.closed || s.rst || f.up.ended && f.down.ended
}

// flow finds the connection of a segment, or begins one; nil when it is not wanted.
func (t *tracker) flow(s segment) (f *flow, toRight bool) {
	opens := s.syn && !s.ack
	if f := t.flows[[2]netip.AddrPort{s.src, s.dst}]; f != nil && !(opens && f.closed) {
		return f, true
	}
	if f := t.flows[[2]netip.AddrPort{s.dst, s.src}]; f != nil {
		return f, false
	}
	// Who listens: whom the SYN goes to. A capture that begins later has only the options and the lower port to tell it.
	client, server, toRight := s.src, s.dst, true
	switch {
	case opens:
	case s.syn, !t.wanted(server) && t.wanted(client), t.wanted(client) && client.Port() < server.Port():
		client, server, toRight = s.dst, s.src, false
	}
	if !t.wanted(server) {
		return nil, false
	}
	if t.number == maxFlows {
		t.note("only the first %d connections are shown", maxFlows)
		return nil, false
	}
	t.number++
	f = &flow{number: t.number}
	t.flows[[2]netip.AddrPort{client, server}] = f
	return f, toRight
}

func (t *tracker) wanted(server netip.AddrPort) bool {
	if a := t.o.Server.Addr(); a.IsValid() && !a.IsUnspecified() && a.Unmap() != server.Addr().Unmap() {
		return false
	}
	if p := t.o.Server.Port(); p != 0 && p != server.Port() {
		return false
	}
	return server.Port() >= t.o.MinPort
}
