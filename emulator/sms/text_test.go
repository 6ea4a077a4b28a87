package sms

import (
	"strings"
	"testing"
	"time"
)

// TestAlphabet goes through all characters there and back.
func TestAlphabet(t *testing.T) {
	n := 0
	for r := range septetsOf {
		n++
		septets, err := EncodeGSM(string(r))
		if got := DecodeGSM(septets); err != nil || got != string(r) {
			t.Errorf("%q became %q, %v", r, got, err)
		}
	}
	if n != 127+len(extension) {
		t.Errorf("%d characters", n)
	}
	for in, want := range map[string]string{"\x1b": " ", "\x1b\x1b": " ", "a\x1bb": "ab", "\x1be": "€", "\x00\x24": "@¤"} {
		if got := DecodeGSM([]byte(in)); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if _, err := EncodeGSM("`"); err == nil {
		t.Error("a backtick was encoded")
	}
}

// TestSeptets has the classic of all PDU descriptions, hellohello, and every length with every fill.
func TestSeptets(t *testing.T) {
	if got, want := packSeptets([]byte("hellohello"), 0), "\xe8\x32\x9b\xfd\x46\x97\xd9\xec\x37"; string(got) != want {
		t.Errorf("%x, want %x", got, want)
	}
	all := []byte(strings.Repeat("The quick brown fox jumps", 7))[:160]
	for n := range len(all) {
		for fill := range 7 {
			if got := unpackSeptets(packSeptets(all[:n], fill), n, fill); string(got) != string(all[:n]) {
				t.Fatalf("%d septets behind %d bits: %q", n, fill, got)
			}
		}
	}
}

func TestCoding(t *testing.T) {
	for _, tt := range []struct {
		dcs   byte
		want  Alphabet
		class int
	}{
		{0x00, GSM7, NoClass}, {0x04, Octets, NoClass}, {0x08, UCS2, NoClass}, {0x0c, GSM7, NoClass}, {0x20, Octets, NoClass},
		{0x10, GSM7, 0}, {0x12, GSM7, 2}, {0x15, Octets, 1}, {0x1b, UCS2, 3}, {0x03, GSM7, NoClass}, {0x48, UCS2, NoClass},
		{0x80, GSM7, NoClass}, {0xb4, GSM7, NoClass}, {0xc8, GSM7, NoClass}, {0xd0, GSM7, NoClass}, {0xe0, UCS2, NoClass},
		{0xf0, GSM7, 0}, {0xf1, GSM7, 1}, {0xf6, Octets, 2},
	} {
		if a, class := Coding(tt.dcs); a != tt.want || class != tt.class {
			t.Errorf("%#x: %d, class %d; want %d, %d", tt.dcs, a, class, tt.want, tt.class)
		}
	}
}

// TestValidity has the corners of the table of TS 23.040 section 9.2.3.12.1.
func TestValidity(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for v, want := range map[byte]time.Duration{
		0: 5 * time.Minute, 143: 12 * time.Hour, 144: 12*time.Hour + 30*time.Minute, 167: 24 * time.Hour, 168: 48 * time.Hour,
		196: 30 * 24 * time.Hour, 197: 5 * 7 * 24 * time.Hour, 255: 63 * 7 * 24 * time.Hour,
	} {
		if got, ok := (Validity{Format: RelativeValidity, Relative: v}).Until(at); !ok || got.Sub(at) != want {
			t.Errorf("%d: %s, want %s", v, got.Sub(at), want)
		}
	}
	for e, want := range map[[7]byte]time.Duration{
		{1, 143}: 12 * time.Hour, {2, 30}: 30 * time.Second, {3, 0x10, 0x20, 0x30}: time.Hour + 2*time.Minute + 3*time.Second,
	} {
		if got, ok := (Validity{Format: EnhancedValidity, Enhanced: e}).Until(at); !ok || got.Sub(at) != want {
			t.Errorf("%v: %s, want %s", e, got.Sub(at), want)
		}
	}
	if _, ok := (Validity{Format: EnhancedValidity}).Until(at); ok {
		t.Error("no period has an end")
	}
	if got, ok := (Validity{Format: AbsoluteValidity, Absolute: at}).Until(at); !ok || got != at {
		t.Error(got)
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		dcs        byte
		parts      int
	}{
		{"empty", "", DCSGSM7, 1},
		{"just one", strings.Repeat("a", 160), DCSGSM7, 1},
		{"just two", strings.Repeat("a", 161), DCSGSM7, 2},
		{"two full", strings.Repeat("a", 306), DCSGSM7, 2},
		{"an escape at the edge", strings.Repeat("a", 152) + "€" + strings.Repeat("b", 20), DCSGSM7, 2},
		{"one of UCS2", strings.Repeat("港", 70), DCSUCS2, 1},
		{"two of UCS2", strings.Repeat("港", 71), DCSUCS2, 2},
		{"a pair at the edge", strings.Repeat("港", 66) + "😀" + strings.Repeat("港", 10), DCSUCS2, 2},
		{"the most", strings.Repeat("a", 153*255), DCSGSM7, 255},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dcs, parts, err := Split(tt.text, 9)
			if err != nil || dcs != tt.dcs || len(parts) != tt.parts {
				t.Fatalf("%d parts of %d, %v; want %d of %d", len(parts), dcs, err, tt.parts, tt.dcs)
			}
			whole := ""
			for i, u := range parts {
				if _, _, err := u.Encode(dcs); err != nil {
					t.Fatal(err)
				}
				if c, ok := u.Concat(); ok != (tt.parts > 1) || ok && c != (Concat{9, false, tt.parts, i + 1}) {
					t.Errorf("part %d: %v, %t", i+1, c, ok)
				}
				whole += u.Text(dcs)
			}
			if whole != tt.text {
				t.Errorf("together: %q", whole)
			}
		})
	}
	if _, _, err := Split(strings.Repeat("a", 153*255+1), 0); err == nil {
		t.Error("256 parts")
	}
}

func TestSender(t *testing.T) {
	for in, want := range map[string]Address{
		"+8190": {TypeInternational, "8190"}, "0312": {TypeUnknown, "0312"}, "*99#": {TypeUnknown, "*99#"}, "SORACOM": {TypeAlphanumeric, "SORACOM"},
	} {
		if got, err := ParseSender(in); err != nil || got != want {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "twelve chars", "港", strings.Repeat("1", 21)} {
		if got, err := ParseSender(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestConcatThatMakesNoSense(t *testing.T) {
	for _, e := range []Element{{0, []byte{1, 2, 3}}, {0, []byte{1, 2, 0}}, {0, []byte{1, 0, 0}}, {0, []byte{1}}, {5, []byte{1, 2, 3, 4}}} {
		if c, ok := (UserData{Header: []Element{e}}).Concat(); ok {
			t.Errorf("%v: %v", e, c)
		}
	}
}

func TestStore(t *testing.T) {
	s := NewStore(2)
	for i := range 2 {
		if got, ok := s.Add(Message{}); got != i || !ok {
			t.Fatalf("place %d, %t", got, ok)
		}
	}
	if _, ok := s.Add(Message{}); ok || s.Used() != 2 {
		t.Error("a full store took one more")
	}
	s.Delete(0)
	s.Delete(0)
	s.Delete(7)
	if got, ok := s.Add(Message{Status: StoredSent}); got != 0 || !ok || s.Used() != 2 || s.Get(0).Status != StoredSent || s.Get(2) != nil || s.Get(-1) != nil {
		t.Error("a place was not used again")
	}
	for i := range s.All() {
		s.Delete(i)
	}
	if s.Used() != 0 {
		t.Errorf("%d are left", s.Used())
	}
}
