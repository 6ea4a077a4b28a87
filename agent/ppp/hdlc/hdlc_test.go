package hdlc

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorded is a line of testdata/frames.txt.
type recorded struct {
	name string
	accm uint32
	line []byte
}

func recordedFrames(t testing.TB) []recorded {
	t.Helper()
	text, err := os.ReadFile("testdata/frames.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(f) != 3 {
			continue
		}
		accm, err1 := strconv.ParseUint(f[1], 16, 32)
		b, err2 := hex.DecodeString(f[2])
		if err1 != nil || err2 != nil {
			t.Fatalf("%q: %v, %v", line, err1, err2)
		}
		all = append(all, recorded{f[0], uint32(accm), b})
	}
	return all
}

// decode runs chunks through a Decoder.
func decode(d *Decoder, chunks ...[]byte) (frames []string, tail []byte, ended bool) {
	for _, c := range chunks {
		if tail, ended = d.Decode(c, func(f []byte) { frames = append(frames, string(f)) }); ended {
			return frames, tail, true
		}
	}
	return frames, nil, false
}

// TestRecordedFrames holds both directions to octets that others put on a line.
func TestRecordedFrames(t *testing.T) {
	for _, tt := range recordedFrames(t) {
		t.Run(tt.name, func(t *testing.T) {
			d := NewDecoder(1508)
			frames, _, _ := decode(d, tt.line)
			if len(frames) != 1 || d.Counters.Good != 1 {
				t.Fatalf("frames %x, counters %+v", frames, d.Counters)
			}
			got := AppendFrame(nil, tt.accm, []byte(frames[0][:4]), []byte(frames[0][4:]))
			if diff := cmp.Diff(hex.EncodeToString(tt.line), hex.EncodeToString(got)); diff != "" {
				t.Errorf("framed again (-want +got)\n%s", diff)
			}
		})
	}
}

// TestEscapes holds the examples of RFC 1662 section 4.2.
func TestEscapes(t *testing.T) {
	const xonXoffETX = 1<<0x11 | 1<<0x13 | 1<<0x03
	for _, tt := range []struct {
		in   string
		accm uint32
		want string
	}{
		{"7e", 0, "7d5e"},
		{"7d", 0, "7d5d"},
		{"03", xonXoffETX, "7d23"},
		{"11", xonXoffETX, "7d31"},
		{"13", xonXoffETX, "7d33"},
		{"03111300", 0, "03111300"},
		{"919394", 0xffffffff, "919394"},
		{"0102030405067e08", 0, "0102030405067d5e08"},
		{"7e0203040506077d", 0, "7d5e0203040506077d5d"},
		{"7e7e7e7e7e7e7e7e7d", 0, "7d5e7d5e7d5e7d5e7d5e7d5e7d5e7d5e7d5d"},
	} {
		in, _ := hex.DecodeString(tt.in)
		// Each at every place of a word, within octets that need nothing.
		for lead := range 17 {
			p := append(bytes.Repeat([]byte{0xaa}, lead), in...)
			p = append(p, bytes.Repeat([]byte{0xbb}, 9)...)
			want := strings.Repeat("aa", lead) + tt.want + strings.Repeat("bb", 9)
			line := AppendFrame(nil, tt.accm, nil, p)
			if got := hex.EncodeToString(line); !strings.HasPrefix(got, "7e"+want) {
				t.Errorf("ACCM %#x, %x: got %s, want %s after the flag", tt.accm, p, got, want)
			}
			frames, _, _ := decode(NewDecoder(1508), line)
			if diff := cmp.Diff([]string{string(p)}, frames); diff != "" {
				t.Errorf("decoded (-want +got)\n%s", diff)
			}
		}
	}
}

// bitwiseFCS is RFC 1662 appendix C by the book.
func bitwiseFCS(p []byte) uint16 {
	fcs := uint16(fcsInit)
	for _, b := range p {
		fcs ^= uint16(b)
		for range 8 {
			fcs = fcs>>1 ^ fcsPoly*(fcs&1)
		}
	}
	return fcs
}

func TestFCSMatchesBitwise(t *testing.T) {
	p := randomPacket(700) // some blocks of foldFCS, and what is no block
	for n := range p {
		if got, want := updateFCS(fcsInit, p[:n]), bitwiseFCS(p[:n]); got != want {
			t.Fatalf("%d octets: %#04x, want %#04x", n, got, want)
		}
	}
	// The check value of CRC-16/X-25 over "123456789", as published.
	if got := ^updateFCS(fcsInit, []byte("123456789")); got != 0x906e {
		t.Errorf("check value %#04x, want 0x906e", got)
	}
}

func TestBatchSharesFlags(t *testing.T) {
	line := AppendFrame(nil, 0, []byte{0x21}, []byte("one"))
	line = AppendFrame(line, 0, []byte{0x21}, []byte("two"))
	if n := bytes.Count(line, []byte{flag}); n != 3 {
		t.Errorf("%d flags in %x, want 3", n, line)
	}
	frames, _, _ := decode(NewDecoder(100), line)
	if diff := cmp.Diff([]string{"!one", "!two"}, frames); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCounters(t *testing.T) {
	good := AppendFrame(nil, 0, nil, []byte("good"))
	bad := append([]byte(nil), good...)
	bad[2] ^= 1
	for _, tt := range []struct {
		name string
		line []byte
		want Counters
	}{
		{"good", good, Counters{Good: 1}},
		{"bad FCS", bad, Counters{BadFCS: 1}},
		{"only flags", []byte("~~~~"), Counters{}},
		{"short", []byte("~abc~"), Counters{Short: 1}},
		{"aborted", []byte("~abcdef}~"), Counters{Aborted: 1}},
		{"exactly the limit", AppendFrame(nil, 0, nil, bytes.Repeat([]byte{1}, 98)), Counters{Good: 1}},
		{"one more", AppendFrame(nil, 0, nil, bytes.Repeat([]byte{1}, 99)), Counters{Oversize: 1}},
		{"one more, escaped", AppendFrame(nil, 0, nil, bytes.Repeat([]byte{flag}, 99)), Counters{Oversize: 1}},
		{"limit, escaped", AppendFrame(nil, 0xffffffff, nil, bytes.Repeat([]byte{1}, 98)), Counters{Good: 1}},
		{"garbage without end", append(bytes.Repeat([]byte("garbage "), 5000), good...), Counters{Oversize: 1, Good: 1}},
		{"what follows a bad one", append(append([]byte(nil), bad...), good...), Counters{Good: 1, BadFCS: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{len(tt.line), 1, 7, 50} {
				d := NewDecoder(100)
				decode(d, split(tt.line, size)...)
				if diff := cmp.Diff(tt.want, d.Counters); diff != "" {
					t.Errorf("in chunks of %d (-want +got)\n%s", size, diff)
				}
				if len(d.raw) > 1000 && size < 1000 {
					t.Errorf("keeps %d octets", len(d.raw))
				}
			}
		})
	}
}

// TestInsertedControls: what the line inserted is not data (RFC 1662 section 4.2).
func TestInsertedControls(t *testing.T) {
	const xon = 1 << 0x11
	line := AppendFrame(nil, xon, nil, []byte{'a', 0x11, 0x12, flag, 'b'})
	var noisy []byte
	for _, b := range line {
		noisy = append(noisy, b, 0x11)
	}
	d := NewDecoder(100)
	d.ACCM = xon
	frames, _, _ := decode(d, noisy)
	if diff := cmp.Diff([]string{"a\x11\x12~b"}, frames); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWholeFrameIsNotCopied(t *testing.T) {
	line := AppendFrame(nil, 0, nil, []byte("plain octets"))
	NewDecoder(100).Decode(line, func(f []byte) {
		if &f[0] != &line[1] {
			t.Error("the frame was copied")
		}
	})
}

func split(b []byte, size int) (chunks [][]byte) {
	for len(b) > 0 {
		n := min(size, len(b))
		// A copy: chunks are the reader's buffer, which is used again.
		chunks = append(chunks, append([]byte(nil), b[:n]...))
		b = b[n:]
	}
	return chunks
}

func TestAllocations(t *testing.T) {
	p, buf := randomPacket(1500), make([]byte, 0, 8192)
	d := NewDecoder(1600)
	d.NoCarrier = true
	deliver := func([]byte) {}
	if n := testing.AllocsPerRun(100, func() {
		buf = AppendFrame(buf[:0], 0, []byte{0x21}, p)
		d.Decode(buf[:700], deliver)
		d.Decode(buf[700:], deliver)
	}); n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}

func Example() {
	line := AppendFrame(nil, 0, []byte{0x21}, []byte("an IP packet"))
	d := NewDecoder(1508)
	d.Decode(line, func(frame []byte) { fmt.Printf("%q\n", frame) })
	// Output: "!an IP packet"
}
