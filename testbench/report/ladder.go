package report

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
)

// maxArrows bounds a ladder: a person reads no more.
const (
	maxArrows  = 60
	headArrows = 40 // kept from the beginning; the rest from the end
)

// Ladder is the messages between two parties.
type Ladder struct {
	Left        string  `json:"left"` // the parties
	Right       string  `json:"right"`
	Arrows      []Arrow `json:"arrows"`
	Elided      int     `json:"elided,omitempty"`       // arrows left out
	ElidedAfter int     `json:"elided_after,omitempty"` // after so many arrows
	Note        string  `json:"note,omitempty"`         // what the capture could not tell, such as that it was cut
}

// Kind of an arrow decides its colour.
type Kind string

const (
	KindTCP   Kind = "tcp"   // SYN, FIN
	KindReset Kind = "reset" // RST
	KindTLS   Kind = "tls"   // handshake
	KindAlert Kind = "alert" // TLS alert
	KindData  Kind = "data"
	KindHello Kind = "hello" // what tells the protocol: a banner, a request line
)

// Arrow is one message, or consecutive ones of one kind merged.
type Arrow struct {
	At      time.Duration `json:"at_ns"` // since the first arrow
	ToRight bool          `json:"right"` // goes from Left to Right
	Flow    int           `json:"flow"`  // TCP connection, from 1
	Kind    Kind          `json:"kind"`
	Label   string        `json:"label"`
	Bytes   int           `json:"bytes,omitempty"` // of payload
	Count   int           `json:"count"`           // messages merged
}

// text is the label with the count.
func (a Arrow) text() string {
	if a.Count > 1 {
		return fmt.Sprintf("%s ×%d", a.Label, a.Count)
	}
	return a.Label
}

// LadderOptions choose the connections. The zero value takes every TCP connection.
type LadderOptions struct {
	Server      netip.AddrPort // the listening side; a zero address or port matches any
	MinPort     uint16         // the listening side's port is at least this
	Left, Right string         // names of the parties; "": client, relay
}

// add merges an arrow with the one before where they tell the same, and keeps the ladder bounded.
func (l *Ladder) add(a Arrow) {
	a.Count = 1
	a.Label = clip(OneLine(a.Label), 64)
	if n := len(l.Arrows); n > 0 {
		last := &l.Arrows[n-1]
		if last.Flow == a.Flow && last.ToRight == a.ToRight && last.Label == a.Label && last.Kind == a.Kind {
			last.Count++
			last.Bytes += a.Bytes
			return
		}
	}
	l.Arrows = append(l.Arrows, a)
	if len(l.Arrows) >= 2*maxArrows {
		l.elide()
	}
}

// elide drops arrows from the middle.
func (l *Ladder) elide() {
	drop := len(l.Arrows) - maxArrows
	if drop <= 0 {
		return
	}
	l.Elided += drop
	l.ElidedAfter = headArrows
	l.Arrows = append(l.Arrows[:headArrows], l.Arrows[headArrows+drop:]...)
}

// WriteText draws the ladder with characters.
func (l *Ladder) WriteText(w io.Writer) error {
	const width = 48
	var b strings.Builder
	fmt.Fprintf(&b, "%9s  %s%*s\n", "s", clip(OneLine(l.Left), 20), width+2-len([]rune(clip(OneLine(l.Left), 20))), clip(OneLine(l.Right), 20))
	for i, a := range l.Arrows {
		if l.Elided > 0 && i == l.ElidedAfter {
			fmt.Fprintf(&b, "%9s  |%s|\n", "", pad(fmt.Sprintf(" ... %d messages left out ...", l.Elided), width))
		}
		label := " " + a.text() + " "
		if a.Bytes > 0 {
			label = fmt.Sprintf(" %s, %s ", a.text(), formatBytes(a.Bytes))
		}
		label = clip(label, width-6)
		line := strings.Repeat("-", width-3-len([]rune(label)))
		if a.ToRight {
			fmt.Fprintf(&b, "%9s  |--%s%s>|\n", formatAt(a.At), label, line)
		} else {
			fmt.Fprintf(&b, "%9s  |<%s%s--|\n", formatAt(a.At), line, label)
		}
	}
	if l.Note != "" {
		fmt.Fprintf(&b, "%9s  (%s)\n", "", OneLine(l.Note))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
