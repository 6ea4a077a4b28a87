package hdlc

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sign = "\r\nNO CARRIER\r\n"

func TestNoCarrier(t *testing.T) {
	frame := string(AppendFrame(nil, 0, []byte{0x21}, []byte("packet")))
	inside := string(AppendFrame(nil, 0, []byte{0x21}, []byte("data"+sign+"data")))
	bad := strings.Replace(inside, "data", "dada", 1)
	for _, tt := range []struct {
		name      string
		line      string
		frames    int
		tail      string // after which data mode has ended
		candidate string // which ends it when the line stays silent
	}{
		{name: "first on the line", line: sign + "+CREG: 0\r\n", tail: sign + "+CREG: 0\r\n"},
		{name: "between frames", line: frame + sign + "RDY", frames: 1, tail: sign + "RDY"},
		{name: "frames after it are not looked at", line: frame + sign + frame, frames: 1, tail: sign + frame},
		{name: "in a good frame", line: frame + inside + frame, frames: 3},
		{name: "in a frame with a bad FCS", line: frame + bad + "rest", frames: 1, tail: bad[strings.Index(bad, sign):] + "rest"},
		{name: "in a frame that goes on", line: frame + inside[:len(inside)-3], frames: 1, candidate: sign + "data"},
		{name: "in a frame that goes on, binary", line: frame + "~!" + sign + "\x00", frames: 1},
		{name: "in a cut frame", line: frame + "~!cut" + sign, frames: 1, candidate: sign},
		{name: "after a cut escape", line: frame + "~!cut}" + sign, frames: 1, candidate: sign},
		{name: "cut frame, then a flag", line: frame + "~!cut" + sign + "~", frames: 1, tail: sign + "~"},
		{name: "cut frame, aborted", line: frame + "~!cut" + sign + "}~", frames: 1, tail: sign + "}~"},
		{name: "after an endless frame", line: strings.Repeat("x", 5000) + sign + strings.Repeat("y", 300), tail: sign + strings.Repeat("y", 300)},
		{name: "not quite", line: frame + "\r\nNO CARRIE\r\n" + frame, frames: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{len(tt.line), 1, 3, 13, 64} {
				d := NewDecoder(100)
				d.NoCarrier = true
				chunks := split([]byte(tt.line), size)
				var frames int
				var tail []byte
				var ended bool
				for i, c := range chunks {
					if tail, ended = d.Decode(c, func([]byte) { frames++ }); ended {
						tail = append(tail, bytes.Join(chunks[i+1:], nil)...)
						break
					}
				}
				if frames != tt.frames || string(tail) != tt.tail {
					t.Errorf("in chunks of %d: %d frames and %q, want %d and %q", size, frames, tail, tt.frames, tt.tail)
				}
				if !ended {
					candidate, _ := d.Candidate()
					if diff := cmp.Diff(tt.candidate, string(candidate)); diff != "" {
						t.Errorf("in chunks of %d: candidate (-want +got)\n%s", size, diff)
					}
				}
			}
		})
	}
}

func TestPartialSign(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"~" + sign[:5], sign[:5]},
		{sign[:13], sign[:13]},
		{"~x" + sign[:5], ""},
		{"~", ""},
	} {
		d := NewDecoder(100)
		d.NoCarrier = true
		d.Decode([]byte(tt.line), func([]byte) {})
		if got := string(d.PartialSign()); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.line, got, tt.want)
		}
	}
}
