package sms

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzPDU holds that what is read can be written, and read again as the same.
func FuzzPDU(f *testing.F) {
	for _, row := range published(f) {
		f.Add(unhex(f, row[2]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		centre, tpdu, err := SplitCentre(b)
		if err != nil {
			return
		}
		if again, _, err := SplitCentre(AppendCentre(nil, centre)); err != nil || again != centre {
			t.Errorf("service centre %v became %v, %v", centre, again, err)
		}
		for _, kind := range []string{"submit", "deliver", "report"} {
			first, err := parse(kind, tpdu)
			if err != nil {
				continue
			}
			octets, err := first.Encode()
			if err != nil {
				t.Fatalf("%s %x cannot be encoded: %v", kind, tpdu, err)
			}
			second, err := parse(kind, octets)
			if err != nil {
				t.Fatalf("%s %x became %x: %v", kind, tpdu, octets, err)
			}
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("%s %x (-first +second):\n%s", kind, tpdu, diff)
			}
			look(centre, first)
		}
	})
}

// FuzzSplit holds that the parts of a text make the text.
func FuzzSplit(f *testing.F) {
	f.Add("open the valve")
	f.Add("港 😀 €")
	f.Fuzz(func(t *testing.T, text string) {
		text = string([]rune(text)) // what is no UTF-8 cannot come back
		dcs, parts, err := Split(text, 1)
		if err != nil {
			return
		}
		whole := ""
		for _, u := range parts {
			length, octets, err := u.Encode(dcs)
			if err != nil {
				t.Fatal(err)
			}
			back, err := DecodeUserData(dcs, u.Header != nil, length, octets)
			if err != nil {
				t.Fatal(err)
			}
			whole += back.Text(dcs)
		}
		if whole != text {
			t.Errorf("%q became %q", text, whole)
		}
	})
}
