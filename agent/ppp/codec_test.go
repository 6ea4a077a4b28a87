package ppp

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var compare = cmp.AllowUnexported(packet{}, option{})

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParsePacket(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     packet
		bad      bool
	}{
		{name: "terminate, as Quectel sends it", in: "05050004", want: packet{TerminateRequest, 5, []byte{}}},
		{name: "padding is ignored", in: "05050004ffff", want: packet{TerminateRequest, 5, []byte{}}},
		{name: "data", in: "090100080102030405", want: packet{EchoRequest, 1, []byte{1, 2, 3, 4}}},
		{name: "empty", in: "", bad: true},
		{name: "cut header", in: "050500", bad: true},
		{name: "length below the header", in: "05050003", bad: true},
		{name: "length that ends the frame", in: "0505000501", want: packet{TerminateRequest, 5, []byte{1}}},
		{name: "length beyond the frame", in: "0505ffff01", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parsePacket(unhex(t, tt.in))
			if (err != nil) != tt.bad {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, got, compare); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseOptions(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []option
		bad      bool
	}{
		{name: "none", in: ""},
		{name: "BG96", in: "0206000000000305c223050506d084690a07020802", want: []option{
			{optACCM, []byte{0, 0, 0, 0}}, {optAuthProtocol, []byte{0xc2, 0x23, 5}}, {optMagicNumber, []byte{0xd0, 0x84, 0x69, 0x0a}},
			{optPFC, []byte{}}, {optACFC, []byte{}}}},
		{name: "length zero", in: "0200", bad: true},
		{name: "length one", in: "0201", bad: true},
		{name: "cut", in: "02", bad: true},
		{name: "beyond the end", in: "0206000000", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseOptions(unhex(t, tt.in))
			if (err != nil) != tt.bad {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, got, compare); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseHeader(t *testing.T) {
	for _, tt := range []struct {
		in      string
		proto   Protocol
		payload string
		bad     bool
	}{
		{in: "ff03c02101", proto: ProtoLCP, payload: "01"},
		{in: "802101", proto: ProtoIPCP, payload: "01"},
		{in: "2145", proto: ProtoIPv4, payload: "45"},
		{in: "ff032145", proto: ProtoIPv4, payload: "45"},
		{in: "002145", proto: ProtoIPv4, payload: "45"},
		{in: "", bad: true},
		{in: "ff03", bad: true},
		{in: "80", bad: true},
	} {
		p, payload, ok := parseHeader(unhex(t, tt.in))
		if ok == tt.bad || p != tt.proto || hex.EncodeToString(payload) != tt.payload {
			t.Errorf("%s: %v, %x, %v", tt.in, p, payload, ok)
		}
	}
}

// TestCHAPAnswer is a computation done with another program: printf '\x01air\x10\x11\x12' | md5sum.
func TestCHAPAnswer(t *testing.T) {
	got := hex.EncodeToString(chapAnswer(1, "air", []byte{0x10, 0x11, 0x12}))
	if want := "843654a191b1ea3b4a14de998cdf6a47"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzCodecs(f *testing.F) {
	f.Add(unhex(f, "010000190206000000000305c223050506d084690a07020802"))
	f.Add(unhex(f, "0301000a0306646ff4e4"))
	f.Add(unhex(f, "01020010040461626364036162630000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = parseHeader(b)
		p, err := parsePacket(b)
		if err != nil {
			return
		}
		if got := p.append(nil); !bytes.Equal(got, b[:len(got)]) {
			t.Fatalf("packet %x became %x", b, got)
		}
		if opts, err := parseOptions(p.data); err == nil {
			if got := appendOptions(nil, opts); !bytes.Equal(got, p.data) {
				t.Fatalf("options %x became %x", p.data, got)
			}
			for _, policy := range []policy{&lcpPolicy{mru: defaultMRU, demand: AuthCHAP, server: true, random: rand.Uint32}, &lcpPolicy{mru: defaultMRU, random: rand.Uint32}, &ipcpClient{}, &ipcpServer{}, &ipcpServer{lease: &Lease{}}} {
				policy.reset()
				v := policy.judge(opts)
				if !optionsWithin(v.reject, opts) {
					t.Fatalf("rejects %v, which is not within %v", v.reject, opts)
				}
				policy.nak(opts)
				policy.reject(opts)
				policy.request()
			}
		}
		if name, password, err := parsePAPRequest(p.data); err == nil && !bytes.HasPrefix(p.data, appendPAPRequest(nil, name, password)) {
			t.Fatalf("PAP request %x became %q, %q", p.data, name, password)
		}
		if value, name, err := parseCHAPValue(p.data); err == nil && !bytes.Equal(appendCHAPValue(nil, value, name), p.data) {
			t.Fatalf("CHAP value %x became %x, %q", p.data, value, name)
		}
	})
}
