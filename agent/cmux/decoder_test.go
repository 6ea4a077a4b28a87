package cmux

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecoderResynchronises(t *testing.T) {
	const (
		at    = "\xf9\x07\xef\x05AT\x30\xf9" // zephyr's
		crlf  = "\xf9\x07\xef\x05\r\n\x30\xf9"
		reply = "\r\nRDY\r\n"
	)
	bad := strings.Replace(at, "\x30", "\x31", 1)
	for _, tt := range []struct {
		name, line string
		want       []string
		counters   Counters
	}{
		{name: "text first", line: reply + at, want: []string{"AT"}, counters: Counters{Good: 1, Junk: 7}},
		{name: "text between", line: at + reply + crlf, want: []string{"AT", "\r\n"}, counters: Counters{Good: 2, Malformed: 1, Junk: 7}},
		{name: "bad FCS", line: bad + crlf, want: []string{"\r\n"}, counters: Counters{Good: 1, BadFCS: 1, Junk: 6}},
		{name: "the rest of a frame", line: at[4:] + crlf, want: []string{"\r\n"}, counters: Counters{Good: 1, Junk: 3}},
		{name: "two frames, the first cut", line: at[:6] + crlf + at, want: []string{"\r\n", "AT"}, counters: Counters{Good: 2, BadFCS: 1, Junk: 5}},
		{name: "no closing flag", line: at[:7] + "x" + crlf, want: []string{"\r\n"}, counters: Counters{Good: 1, Malformed: 1, Junk: 7}},
		{name: "too long for us", line: "\xf9\x07\xef\xfe\x7f" + crlf, want: []string{"\r\n"}, counters: Counters{Good: 1, Oversize: 1, Junk: 4}},
		{name: "long address", line: "\xf9\x06\x07\xef" + crlf, want: []string{"\r\n"}, counters: Counters{Good: 1, Malformed: 1, Junk: 3}},
		{name: "SABM with information", line: "\xf9\x07\x3f\x03x\x00" + crlf, want: []string{"\r\n"}, counters: Counters{Good: 1, Malformed: 1, Junk: 5}},
		{name: "stray octet, as in SIM800's note", line: at + "\xf1" + crlf, want: []string{"AT", "\r\n"}, counters: Counters{Good: 2, Malformed: 1, Junk: 1}},
		{name: "flags in the information", line: "\xf9\x07\xef\x07\xf9\xf9\xf9\xd3\xf9" + at, want: []string{"\xf9\xf9\xf9", "AT"}, counters: Counters{Good: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for size := 1; size <= len(tt.line); size++ {
				d := NewDecoder(127)
				var got []string
				for _, f := range decodeAll(d, []byte(tt.line), size) {
					got = append(got, string(f.Info))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("in pieces of %d (-want +got):\n%s", size, diff)
				}
				if diff := cmp.Diff(tt.counters, d.Counters); diff != "" {
					t.Errorf("in pieces of %d: counters (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}

func TestDecoderEnds(t *testing.T) {
	d := NewDecoder(127)
	rest, ended := d.Decode([]byte("\xf9\x01\xef\x05\xc1\x01\x93\xf9\xf9\r\nOK\r\n"), func(Frame) bool { return false })
	if !ended || string(rest) != "\r\nOK\r\n" {
		t.Errorf("%q, %v", rest, ended)
	}
}

func FuzzDecoder(f *testing.F) {
	var all []byte
	for _, g := range goldenFrames(f) {
		f.Add(g.line, uint8(3))
		all = append(all, g.line...)
	}
	f.Add(all, uint8(5))
	f.Add(AppendFrame(nil, Frame{DLCI: 2, Type: UI, Info: bytes.Repeat([]byte{flag}, 200)}), uint8(1))
	f.Fuzz(func(t *testing.T, line []byte, size uint8) {
		const limit = 256
		whole, pieces := NewDecoder(limit), NewDecoder(limit)
		want := decodeAll(whole, line, len(line)+1)
		got := decodeAll(pieces, line, int(size)+1)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("in pieces of %d (-whole +pieces):\n%s", int(size)+1, diff)
		}
		if whole.Counters != pieces.Counters {
			t.Fatalf("counters %+v and %+v", whole.Counters, pieces.Counters)
		}
		if n := len(pieces.pending); n > headerSize+limit+trailerSize {
			t.Fatalf("%d octets pending", n)
		}
		for _, f := range want { // what was decoded says the same when it is written again
			again := decodeAll(NewDecoder(limit), AppendFrame(nil, f), limit)
			if diff := cmp.Diff([]Frame{f}, again); diff != "" {
				t.Fatalf("round trip (-want +got):\n%s", diff)
			}
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte("\xe3\x05\x07\x0d"))
	f.Add([]byte("\x23\x02\x03A"))
	f.Fuzz(func(t *testing.T, p []byte) {
		m, rest, err := parseMessage(p)
		if err != nil {
			return
		}
		again, more, err := parseMessage(append(appendMessage(nil, m), rest...))
		if err != nil || !bytes.Equal(more, rest) {
			t.Fatalf("again: %v, rest %q and %q", err, rest, more)
		}
		if diff := cmp.Diff(m, again, cmp.AllowUnexported(message{})); diff != "" {
			t.Fatal(diff)
		}
	})
}
