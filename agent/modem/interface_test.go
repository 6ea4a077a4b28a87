package modem

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCGCONTRDP(t *testing.T) {
	addrs := func(list ...string) (out []netip.Addr) {
		for _, a := range list {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	tests := []struct {
		line string
		cid  int
		addr string // "": an error
		dns  []netip.Addr
	}{
		// Seen in the field, as in ModemManager's tests: address and mask in one value; the mask by itself before 27.007 V9.4.
		{`+CGCONTRDP: 4,5,"ibox.tim.it.mnc001.mcc222.gprs","2.197.17.49.255.255.255.255","2.197.17.49","10.207.43.46","10.206.56.132","0.0.0.0","0.0.0.0",0`, 4,
			"2.197.17.49", addrs("10.207.43.46", "10.206.56.132")},
		{`+CGCONTRDP: 4,5,"ibox.tim.it.mnc001.mcc222.gprs","2.197.17.49","255.255.255.255","2.197.17.49","10.207.43.46","10.206.56.132","0.0.0.0","0.0.0.0"`, 4,
			"2.197.17.49", addrs("10.207.43.46", "10.206.56.132")},
		{`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1.255.255.255.255","10.128.0.1","100.127.0.53","0.0.0.0"`, 1, "10.128.0.1", addrs("100.127.0.53")},
		{`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1.255.255.255.255"`, 1, "10.128.0.1", nil},
		{`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1.255.255.255.255"`, 2, "", nil},
		{`+CGCONTRDP: 1,5,"soracom.io","254.128.0.0.0.0.0.0.0.1.0.6.1.103.1.1.255.255.255.255.255.255.255.255.0.0.0.0.0.0.0.0"`, 1, "", nil}, // IPv6
		{`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1"`, 1, "", nil},
		{`+CGCONTRDP: 1,5,"soracom.io","10.128.0.999.255.255.255.255"`, 1, "", nil},
		{`+CGCONTRDP: 1,5,"soracom.io"`, 1, "", nil},
		{`+CGPADDR: 1,"10.128.0.1"`, 1, "", nil},
	}
	for _, tt := range tests {
		p, err := parseCGCONTRDP(tt.line, tt.cid)
		if tt.addr == "" {
			if err == nil {
				t.Errorf("%q, context %d: %+v", tt.line, tt.cid, p)
			}
			continue
		}
		if err != nil || p.Addr.String() != tt.addr {
			t.Errorf("%q: %+v, %v", tt.line, p, err)
		}
		if diff := cmp.Diff(tt.dns, p.DNS, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%q: name servers (-want +got)\n%s", tt.line, diff)
		}
	}
}

func FuzzParseCGCONTRDP(f *testing.F) {
	f.Add(`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1.255.255.255.255","10.128.0.1","100.127.0.53","0.0.0.0"`)
	f.Fuzz(func(t *testing.T, line string) {
		p, err := parseCGCONTRDP(line, 1)
		if err == nil && (!p.Addr.Is4() || len(p.DNS) > 2) {
			t.Errorf("%q: %+v", line, p)
		}
	})
}

// A modem whose context is active already refuses to connect it again, which is well; any other refusal is none.
func TestConnectInterface(t *testing.T) {
	c := PDPContext{CID: 1, Type: PDPTypeIP, APN: "soracom.io"}
	const up = "+QNETDEVCTL=1,1,1"
	tests := []struct {
		name    string
		answers map[string]string
		asked   bool
		err     string
	}{
		{"connects", map[string]string{up: "OK"}, true, ""},
		{"is connected", map[string]string{"+CGACT?": "+CGACT: 1,1|OK"}, false, ""},
		{"refuses", map[string]string{up: "+CME ERROR: 30", "+CGACT?": "+CGACT: 1,0|OK"}, false, "30"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, _ := fake(t, Config{}, tt.answers)
			m.profile = &quectel
			asked, err := m.ConnectInterface(t.Context(), c, AuthNone, "", "")
			if asked != tt.asked || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("asked %v, %v", asked, err)
			}
		})
	}
	m, got := fake(t, Config{}, nil)
	if asked, err := m.ConnectInterface(t.Context(), c, AuthNone, "", ""); asked || err != nil {
		t.Errorf("a modem without a command: asked %v, %v", asked, err)
	}
	if sent := got(); len(sent) > 0 {
		t.Errorf("sent %q", sent)
	}
	m, _ = fake(t, Config{}, nil)
	m.profile = &huawei
	if _, err := m.ConnectInterface(t.Context(), c, AuthCHAP, `so"ra`, "x"); err == nil {
		t.Error("a quotation mark was sent")
	}
}
