package hdlc

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzRoundTrip: a frame is what octet by octet makes of it, and decodes to the same packet however it is cut.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("packet"), uint32(0), 3)
	f.Add([]byte("}~}~\x00\x11"), uint32(0xffffffff), 1)
	f.Add(randomPacket(400), uint32(0x000a0000), 40)
	f.Add(randomPacket(1500), uint32(0), 700)
	f.Fuzz(func(t *testing.T, p []byte, accm uint32, cut int) {
		if len(p) < 2 || len(p) > 2000 {
			return
		}
		line := AppendFrame(nil, accm, p[:1], p[1:])
		fcs := ^bitwiseFCS(p)
		want := append(appendEscaped([]byte{flag}, accm, append(bytes.Clone(p), byte(fcs), byte(fcs>>8))), flag)
		if diff := cmp.Diff(want, line); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		for _, b := range line[1 : len(line)-1] {
			if b == flag || inACCM(accm, b) {
				t.Fatalf("%x has %#x, which ACCM %#x forbids", line, b, accm)
			}
		}
		cut = max(0, min(cut, len(line)))
		d := NewDecoder(len(p) + fcsSize)
		d.ACCM = accm
		frames, _, _ := decode(d, line[:cut], line[cut:])
		if diff := cmp.Diff([]string{string(p)}, frames); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

// FuzzDecode: whatever the line says and however it is cut, the frames, the counters and the end are the same, and nothing is lost
// of what follows the end.
func FuzzDecode(f *testing.F) {
	for _, r := range recordedFrames(f) {
		f.Add(r.line, 3, 5)
	}
	f.Add([]byte("~!cut"+sign+"}~"), 4, 9)
	f.Add(bytes.Repeat([]byte(sign), 30), 100, 3)
	f.Fuzz(func(t *testing.T, line []byte, a, b int) {
		run := func(chunks ...[]byte) (frames []string, tail []byte, c Counters) {
			d := NewDecoder(60)
			d.NoCarrier = true
			for i, chunk := range chunks {
				end, ended := d.Decode(append([]byte(nil), chunk...), func(f []byte) { frames = append(frames, string(f)) })
				if ended {
					return frames, append(end, bytes.Join(chunks[i+1:], nil)...), d.Counters
				}
				d.Candidate()
				d.PartialSign()
			}
			return frames, nil, d.Counters
		}
		whole, wholeTail, counters := run(line)
		a = max(0, min(a, len(line)))
		b = max(a, min(b, len(line)))
		cut, cutTail, cutCounters := run(line[:a], line[a:b], line[b:])
		if diff := cmp.Diff(whole, cut); diff != "" {
			t.Errorf("frames, whole against cut at %d and %d (-whole +cut)\n%s", a, b, diff)
		}
		if string(wholeTail) != string(cutTail) {
			t.Errorf("tail %q whole, %q cut at %d and %d", wholeTail, cutTail, a, b)
		}
		if wholeTail == nil && counters != cutCounters {
			t.Errorf("counters %+v whole, %+v cut", counters, cutCounters)
		}
		if wholeTail != nil && !bytes.HasSuffix(line, wholeTail) {
			t.Errorf("tail %q is not the end of %q", wholeTail, line)
		}
	})
}
