package cmux

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type goldenFrame struct {
	name string
	line []byte
	want Frame
}

// goldenFrames reads testdata/frames.txt.
func goldenFrames(t testing.TB) []goldenFrame {
	t.Helper()
	f, err := os.Open("testdata/frames.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var frames []goldenFrame
	for s := bufio.NewScanner(f); s.Scan(); {
		if s.Text() == "" || s.Text()[0] == '#' {
			continue
		}
		fields := strings.Split(s.Text(), "|")
		if len(fields) != 4 {
			t.Fatalf("%q has %d fields", s.Text(), len(fields))
		}
		header := strings.Fields(fields[2])
		dlci, err := strconv.Atoi(header[0])
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, goldenFrame{
			name: strings.TrimSpace(fields[0]),
			line: unhex(t, fields[1]),
			want: Frame{
				DLCI: byte(dlci), Command: header[1] == "C", PF: header[3] == "P", Info: unhex(t, fields[3]),
				Type: map[string]FrameType{"SABM": SABM, "UA": UA, "DM": DM, "DISC": DISC, "UIH": UIH, "UI": UI}[header[2]],
			},
		})
	}
	return frames
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	p, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// decodeAll collects the frames of a line that comes in pieces of size octets.
func decodeAll(d *Decoder, line []byte, size int) (frames []Frame) {
	for len(line) > 0 {
		n := min(size, len(line))
		d.Decode(line[:n], func(f Frame) bool {
			f.Info = append([]byte{}, f.Info...)
			frames = append(frames, f)
			return true
		})
		line = line[n:]
	}
	return frames
}

func TestGoldenFrames(t *testing.T) {
	for _, g := range goldenFrames(t) {
		t.Run(g.name, func(t *testing.T) {
			for size := 1; size <= len(g.line); size++ {
				d := NewDecoder(127)
				if diff := cmp.Diff([]Frame{g.want}, decodeAll(d, g.line, size)); diff != "" {
					t.Errorf("in pieces of %d (-want +got):\n%s", size, diff)
				}
				if diff := cmp.Diff(Counters{Good: 1}, d.Counters); diff != "" {
					t.Errorf("in pieces of %d: counters (-want +got):\n%s", size, diff)
				}
			}
			if long := g.line[3]&ea == 0; long && len(g.want.Info) < 128 {
				return // a length that we would write shorter
			}
			if diff := cmp.Diff(g.line, AppendFrame(nil, g.want)); diff != "" {
				t.Errorf("encoded (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFCSTable compares with entries of the table that the Linux kernel's n_gsm has (drivers/tty/n_gsm.c).
func TestFCSTable(t *testing.T) {
	for i, want := range map[int]byte{0: 0x00, 1: 0x91, 2: 0xe3, 0x10: 0x1c, 0x7f: 0x2f, 0x80: 0xe0, 0xff: 0xcf} {
		if fcsTable[i] != want {
			t.Errorf("entry %#02x: %#02x, want %#02x", i, fcsTable[i], want)
		}
	}
	// A receiver that runs over the FCS too ends with the good value.
	if got := updateFCS(fcsInit, []byte{0x03, 0x3f, 0x01, 0x1c}); got != 0xcf {
		t.Errorf("over a good FCS: %#02x", got)
	}
}

func TestSharedFlags(t *testing.T) {
	var apart, shared []byte
	var want []Frame
	for _, g := range goldenFrames(t) {
		apart = append(apart, g.line...)
		shared = append(shared, g.line[:len(g.line)-1]...)
		want = append(want, g.want)
	}
	shared = append(shared, flag)
	for name, line := range map[string][]byte{"apart": apart, "shared": shared, "idle": bytes.ReplaceAll(apart, []byte{flag, flag}, []byte{flag, flag, flag, flag})} {
		for _, size := range []int{1, 2, 3, 7, 64, len(line)} {
			d := NewDecoder(127)
			if diff := cmp.Diff(want, decodeAll(d, line, size)); diff != "" {
				t.Errorf("%s, in pieces of %d (-want +got):\n%s", name, size, diff)
			}
			if d.Counters != (Counters{Good: uint64(len(want))}) {
				t.Errorf("%s, in pieces of %d: %+v", name, size, d.Counters)
			}
		}
	}
}
