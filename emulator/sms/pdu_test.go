package sms

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// published reads testdata/pdus.txt.
func published(t testing.TB) [][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/pdus.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Split(line, "\t"))
		}
	}
	return rows
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seen is what one can see of a message, whatever it is.
type seen struct{ centre, number, when, text string }

func look(centre Address, t TPDU) seen {
	s := seen{centre: centre.String()}
	switch t := t.(type) {
	case *Submit:
		s.number, s.text = t.Destination.String(), t.UserData.Text(t.DCS)
	case *Deliver:
		s.number, s.when, s.text = t.Origin.String(), t.Time.Format(time.RFC3339), t.UserData.Text(t.DCS)
	case *StatusReport:
		s.number, s.when = t.Recipient.String(), t.Time.Format(time.RFC3339)
	}
	return s
}

func parse(kind string, b []byte) (TPDU, error) {
	switch kind {
	case "submit":
		return ParseSubmit(b)
	case "deliver":
		return ParseDeliver(b)
	}
	return ParseStatusReport(b)
}

// TestPublished reads what others publish, and writes the same octets again.
func TestPublished(t *testing.T) {
	for _, row := range published(t) {
		t.Run(row[1], func(t *testing.T) {
			pdu := unhex(t, row[2])
			centre, tpdu, err := SplitCentre(pdu)
			if row[0] == "bad" {
				if err == nil {
					_, err = ParseFromCentre(tpdu)
				}
				if _, serr := ParseSubmit(tpdu); err == nil || serr == nil {
					t.Error("no error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := parse(row[0], tpdu)
			if err != nil {
				t.Fatal(err)
			}
			var want seen
			for i, to := range []*string{&want.centre, &want.number, &want.when, &want.text} {
				if *to, err = strconv.Unquote(row[3+i]); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, look(centre, got), cmp.AllowUnexported(seen{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := got.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(row[1], "mm-multipart") {
				pdu[33] &^= 1 // the sender set the bit that fills the header's last septet
			}
			if again = append(AppendCentre(nil, centre), again...); !bytes.Equal(again, pdu) {
				t.Errorf("encoded again: %X, want %X", again, pdu)
			}
		})
	}
}

// TestCompose makes ModemManager's messages from their parts.
func TestCompose(t *testing.T) {
	for _, row := range published(t) {
		if !strings.HasPrefix(row[1], "mm-create-") {
			continue
		}
		t.Run(row[1], func(t *testing.T) {
			text, _ := strconv.Unquote(row[6])
			number, _ := strconv.Unquote(row[4])
			to, err := ParseAddress(number)
			if err != nil {
				t.Fatal(err)
			}
			dcs, parts, err := Split(text, 0)
			if err != nil || len(parts) != 1 {
				t.Fatalf("%d parts, %v", len(parts), err)
			}
			s := Submit{Destination: to, DCS: dcs, UserData: parts[0]}
			if !strings.HasSuffix(row[1], "no-validity") {
				s.Validity = Validity{Format: RelativeValidity} // five minutes
			}
			b, err := s.Encode()
			if got := strings.ToUpper(hex.EncodeToString(b)); err != nil || !strings.HasSuffix(row[2], got) {
				t.Errorf("%s, %v; want the end of %s", got, err, row[2])
			}
		})
	}
}

func TestRefused(t *testing.T) {
	const head = "040B918100551512F2"
	for _, tt := range []struct{ name, kind, octets, want string }{
		{"nothing", "deliver", "", "first octet"},
		{"other type", "deliver", "11", "is not SMS-DELIVER"},
		{"other type", "submit", "04", "is not SMS-SUBMIT"},
		{"other type", "report", "04", "is not SMS-STATUS-REPORT"},
		{"address too long", "submit", "01001591", "at most 20"},
		{"type without its bit", "submit", "0100021121", "lacks its first bit"},
		{"filler within", "submit", "01000491F121", "not 4 digits"},
		{"no filler", "submit", "010003912143", "not 3 digits"},
		{"short name", "deliver", "0401D041", "a name"},
		{"month 13", "deliver", head + "0000" + "11311021436500" + "00", "is no time"},
		{"30 February", "deliver", head + "0000" + "11200321436500" + "00", "is no time"},
		{"hexadecimal time", "deliver", head + "0000" + "1A101021436500" + "00", "no digits"},
		{"no length", "deliver", head + "0000" + "11101021436500", "user data length"},
		{"161 septets", "deliver", head + "0000" + "11101021436500" + "A1" + strings.Repeat("00", 141), "at most 160"},
		{"141 octets", "deliver", head + "0004" + "11101021436500" + "8D" + strings.Repeat("00", 141), "at most 140"},
		{"octets behind", "deliver", head + "0000" + "11101021436500" + "0141FF", "2 octets for a length of 1"},
		{"header too long", "deliver", "44" + head[2:] + "0004" + "11101021436500" + "0203FF", "user data header"},
		{"element too long", "deliver", "44" + head[2:] + "0004" + "11101021436500" + "03020009", "user data header"},
		{"header beyond septets", "deliver", "44" + head[2:] + "0000" + "11101021436500" + "0301000000"[0:2] + "020000", "inside the header"},
		{"reserved parameter", "report", "06000291211110102143650011101021436500" + "00" + "08", "reserved"},
		{"header without data", "report", "46000291211110102143650011101021436500" + "00", "without user data"},
	} {
		t.Run(tt.name+" "+tt.kind, func(t *testing.T) {
			_, err := parse(tt.kind, unhex(t, tt.octets))
			if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	for _, octets := range []string{"", "01", "0191", "0291F1", "0C91" + strings.Repeat("11", 11), "0211F1", "03D0C4E2"} {
		if _, _, err := SplitCentre(unhex(t, octets)); octets != "0291F1" && !errors.Is(err, ErrMalformed) {
			t.Errorf("service centre %s: %v", octets, err)
		}
	}
}

// TestEveryField goes through the parts of the messages that published ones do not have.
func TestEveryField(t *testing.T) {
	zone := time.FixedZone("", -(3*60+30)*60)
	at := time.Date(2026, 11, 22, 10, 30, 59, 0, zone)
	number := Address{TypeInternational, "81200*#abc"}
	header := []Element{{0x70, nil}, Concat{0x1234, true, 3, 2}.element()}
	for _, want := range []TPDU{
		&Submit{RejectDuplicates: true, StatusReport: true, ReplyPath: true, Reference: 255, Destination: number, PID: 1, DCS: 0xf6,
			Validity: Validity{Format: AbsoluteValidity, Absolute: at}, UserData: UserData{Header: header, Data: []byte{1, 2, 255}}},
		&Submit{Validity: Validity{Format: EnhancedValidity, Enhanced: [7]byte{3, 0x10, 0x20, 0x30}}, UserData: UserData{Header: []Element{}, Data: []byte{1, 2}}},
		&Submit{Destination: number, UserData: UserData{Header: header, Data: []byte("12345678")}},
		&Deliver{More: true, LoopPrevention: true, StatusReport: true, ReplyPath: true, Origin: Address{TypeAlphanumeric, "SORACOM ab"}, DCS: 0x19, Time: at,
			UserData: UserData{Data: []byte{0, 0x41, 0xd8, 0x3d, 0xde, 0}}},
		&StatusReport{More: true, LoopPrevention: true, Command: true, Reference: 7, Recipient: number, Time: at, Discharge: at, Status: StatusExpired},
		&StatusReport{Recipient: number, Time: at, Discharge: at, Parameters: true, Indicator: parameters, PID: 3, DCS: 4, UserData: UserData{Header: header, Data: []byte{9}}},
	} {
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		kind := map[byte]string{typeDeliver: "deliver", typeSubmit: "submit", typeReport: "report"}[b[0]&typeMask]
		got, err := parse(kind, b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b []byte) bool { return bytes.Equal(a, b) })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

func TestCannotBeEncoded(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, d := range map[string]*Deliver{
		"digit":       {Origin: Address{TypeInternational, "12x"}, Time: at},
		"long number": {Origin: Address{TypeInternational, strings.Repeat("1", 21)}, Time: at},
		"long name":   {Origin: Address{TypeAlphanumeric, "twelve chars"}, Time: at},
		"name":        {Origin: Address{TypeAlphanumeric, "港"}, Time: at},
		"type":        {Origin: Address{1, "1"}, Time: at},
		"year":        {Time: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)},
		"septets":     {Time: at, UserData: UserData{Data: make([]byte, 161)}},
		"octets":      {Time: at, DCS: DCSOctets, UserData: UserData{Data: make([]byte, 141)}},
		"header":      {Time: at, UserData: UserData{Header: []Element{{1, make([]byte, 138)}}}},
		"element":     {Time: at, UserData: UserData{Header: []Element{{1, make([]byte, 300)}}}},
	} {
		if b, err := d.Encode(); err == nil {
			t.Errorf("%s: %x", name, b)
		}
	}
}
