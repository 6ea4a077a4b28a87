package ppptest

import (
	"net"
	"sync"

	"minato/agent/ppp/hdlc"
)

// End names one end of a Line.
type End int

// The two ends.
const (
	A End = iota
	B
)

func (e End) other() End { return 1 - e }

// Filter sees each frame that comes from an end, address and control included and FCS removed, and returns those that the other
// end gets instead. It is called from two goroutines, one for each direction, and may keep the frame.
type Filter func(from End, frame []byte) [][]byte

// Pass is the Filter of a perfect line.
func Pass(_ End, frame []byte) [][]byte { return [][]byte{frame} }

// Line is a line with a Filter on it, into which octets can be injected.
type Line struct {
	Ends [2]*Port // for ppp.New

	filter Filter
	inner  [2]net.Conn
	mu     [2]sync.Mutex // guards the order of what an end gets
	wg     sync.WaitGroup
}

// NewLine makes a line. It ends when one of its ends is closed, which Wait waits for.
func NewLine(filter Filter) *Line {
	l := &Line{filter: filter}
	for e := range l.Ends {
		outer, inner := net.Pipe()
		l.Ends[e], l.inner[e] = NewPort(outer), inner
	}
	l.wg.Add(2)
	go l.carry(A)
	go l.carry(B)
	return l
}

// carry moves frames away from one end until that end, or the other, is closed.
func (l *Line) carry(from End) {
	defer l.wg.Done()
	defer l.inner[A].Close()
	defer l.inner[B].Close()
	decoder := hdlc.NewDecoder(64 << 10)
	buf := make([]byte, 4096)
	for {
		n, err := l.inner[from].Read(buf)
		decoder.Decode(buf[:n], func(frame []byte) {
			for _, f := range l.filter(from, append([]byte(nil), frame...)) {
				l.Inject(from.other(), hdlc.AppendFrame(nil, ^uint32(0), nil, f))
			}
		})
		if err != nil {
			return
		}
	}
}

// Inject puts octets on the line towards an end. What an end that is closed would have got is lost.
func (l *Line) Inject(to End, octets []byte) {
	l.mu[to].Lock()
	defer l.mu[to].Unlock()
	_, _ = l.inner[to].Write(octets)
}

// Wait returns when nothing moves any more.
func (l *Line) Wait() { l.wg.Wait() }
