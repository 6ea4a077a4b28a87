package report

import (
	"io"
	"net/netip"
	"time"
)

// Ladder is the messages between two parties.
type Ladder struct {
	Left, Right string // the parties
	Arrows      []Arrow
	Elided      int    // arrows left out of the middle
	Note        string // what the capture could not tell, such as that it was cut
}

// Arrow is one message, or consecutive ones of one kind merged.
type Arrow struct {
	At    time.Duration // since the first packet of the flow
	Right bool          // goes from Left to Right
	Label string
	Bytes int
	Count int
}

// LadderOptions choose the flow. The zero value takes the first TCP connection, and the side that opened it is on the left.
type LadderOptions struct {
	Server      netip.AddrPort // the listening side; a zero address or port matches any
	Left, Right string         // names of the parties; "": client, relay
}

// ParseLadder reads a pcapng or pcap capture. A cut or damaged capture gives what could be read and a Note; the error is for one that is no capture at all.
func ParseLadder(r io.Reader, o LadderOptions) (*Ladder, error) { panic("stub") }

// WriteSVG draws the ladder as one svg element that stands in HTML or alone.
func (l *Ladder) WriteSVG(w io.Writer) error { panic("stub") }

// WriteText draws the ladder with characters.
func (l *Ladder) WriteText(w io.Writer) error { panic("stub") }
