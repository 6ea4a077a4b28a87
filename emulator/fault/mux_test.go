package fault

import (
	"bytes"
	"testing"
	"time"
)

// FuzzMux: whatever is on the line, splitting loses nothing, cutting adds nothing and leaves what is no long frame alone, and spoiling
// changes no flag.
func FuzzMux(f *testing.F) {
	f.Add([]byte("\xf9\x07\xef\x09ATI\r\xd3\xf9"), 31)
	f.Add([]byte("\xf9\xf9\x03\x3f\x01\x1c\xf9\x07\xef\x10\x02"+"0123456789abcdef"), 3)
	f.Add([]byte("\r\nOK\r\n~\xff}#\xc0!}%}%} }$\\\xa4~"), 1)
	f.Fuzz(func(t *testing.T, line []byte, n1 int) {
		n1 = max(n1%200, 1)
		split, err := CMUXSplit.Check(nil)
		if err != nil {
			t.Fatal(err)
		}
		var wires Wires
		if _, err := CMUXSplit.Inject(Target{Wires: &wires}, split); err != nil {
			t.Fatal(err)
		}
		var joined []byte
		for i, p := range wires.New(nil, "at").tapped()[0].out(line) {
			if (p.gap > 0) != (i > 0) || p.gap > time.Second {
				t.Errorf("piece %d after %v", i, p.gap)
			}
			joined = append(joined, p.data...)
		}
		if !bytes.Equal(joined, line) {
			t.Errorf("%x becomes %x", line, joined)
		}

		c := cutter{n1: n1}
		if cut := c.cut(nil, line); len(cut) > len(line) || !bytes.Contains(line, []byte{muxFlag}) && !bytes.Equal(cut, line) {
			t.Errorf("%x is cut to %x", line, cut)
		}

		s := newSpoiler(Params{"rate": "100", "seed": "1"}, 0)
		spoilt := bytes.Clone(line)
		s.spoil(spoilt)
		for i := range line {
			if (line[i] == flagOctet) != (spoilt[i] == flagOctet) || (line[i] == escapeOctet) != (spoilt[i] == escapeOctet) {
				t.Errorf("%x becomes %x", line, spoilt)
			}
		}
	})
}
