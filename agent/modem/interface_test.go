package modem

import (
	"maps"
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
		// A SIMCom, a Quectel EM12, an RM520N and a modem that has P-CSCF servers and no DNS, all of Qualcomm's; a Sequans.
		{`+CGCONTRDP: 1,5,orange.m2m.spec,10.214.199.17,,192.168.10.110,194.51.3.56`, 1, "10.214.199.17", addrs("192.168.10.110", "194.51.3.56")},
		{`+CGCONTRDP: 1,5,internet,10.191.91.211,,62.109.121.17,62.109.121.18`, 1, "10.191.91.211", addrs("62.109.121.17", "62.109.121.18")},
		{`+CGCONTRDP: 1,5,"SMARTLTE","10.148.167.210",,"10.151.151.44","10.151.151.48"`, 1, "10.148.167.210", addrs("10.151.151.44", "10.151.151.48")},
		{`+CGCONTRDP: 2,5,ims,10.76.206.157,,,,10.178.76.2,10.178.77.194`, 2, "10.76.206.157", nil},
		{`+CGCONTRDP: 1,5,"spe.inetd.vodafone.nbiot.mnc028.mcc901.gprs","10.175.213.177.255.255.255.255","","10.105.16.254","10.105.144.254","","",,,1430`, 1,
			"10.175.213.177", addrs("10.105.16.254", "10.105.144.254")},
		{`+CGCONTRDP: 1,5,internet,10.0.0.2,10.0.0.1,8.8.8.8`, 1, "10.0.0.2", addrs("8.8.8.8")}, // a gateway and no mask
		{`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1"`, 1, "10.128.0.1", nil},
		{`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1","255.255.255.255"`, 1, "10.128.0.1", nil},
		{`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1.255.255.255.255"`, 1, "10.128.0.1", nil},
		{`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1.255.255.255.255"`, 2, "", nil},
		{`+CGCONTRDP: 1,5,"soracom.io","254.128.0.0.0.0.0.0.0.1.0.6.1.103.1.1.255.255.255.255.255.255.255.255.0.0.0.0.0.0.0.0"`, 1, "", nil}, // IPv6
		{`+CGCONTRDP: 1,5,soracom.io,32.1.72.96.72.96.0.0.0.0.0.0.0.0.136.136,,,`, 1, "", nil},                                               // IPv6 without its prefix
		{`+CGCONTRDP: 1,5,soracom.io,,,100.127.0.53`, 1, "", nil},
		{`+CGCONTRDP: 1,5,soracom.io,0.0.0.0,,100.127.0.53`, 1, "", nil},
		{`+CGCONTRDP: 1,5,soracom.io,10.128.0.1.24,,100.127.0.53`, 1, "", nil},
		{`+CGCONTRDP: 1,5,soracom.io,10.128.0.999,,100.127.0.53`, 1, "", nil},
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
	f.Add(`+CGCONTRDP: 1,5,"soracom.io","10.128.0.1","255.255.255.255","10.128.0.1","100.127.0.53"`)
	f.Add(`+CGCONTRDP: 1,5,soracom.io,10.128.0.1,,100.127.0.53,100.127.1.53`)
	f.Add(`+CGCONTRDP: 2,5,ims,10.76.206.157,,,,10.178.76.2,10.178.77.194`)
	f.Fuzz(func(t *testing.T, line string) {
		p, err := parseCGCONTRDP(line, 1)
		if err == nil && (!p.Addr.Is4() || p.Addr.IsUnspecified() || len(p.DNS) > 2) {
			t.Errorf("%q: %+v", line, p)
		}
	})
}

// A modem whose interface is connected already refuses to connect it again, which is well, and so does one that has no such command. Any
// other refusal is the network's, though the context is active from the attachment on.
func TestConnectInterface(t *testing.T) {
	c := PDPContext{CID: 1, Type: PDPTypeIP, APN: "soracom.io"}
	const up, status = "+QNETDEVCTL=1,1,1", "+QNETDEVCTL?"
	tests := []struct {
		name    string
		profile *Profile
		answers map[string]string
		asked   bool
		err     string
	}{
		{"connects", &quectel, map[string]string{up: "OK"}, true, ""},
		{"is connected", &quectel, map[string]string{up: "+CME ERROR: 3", status: "+QNETDEVCTL: 3,1,1,1|OK"}, false, ""},
		{"another context is connected", &quectel, map[string]string{up: "+CME ERROR: 149", status: "+QNETDEVCTL: 1,2,1,1|OK"}, false, "149"},
		{"refuses", &quectel, map[string]string{up: "+CME ERROR: 149", status: "+QNETDEVCTL: 0,0,0,0|OK"}, false, "149"},
		{"refuses with a plain ERROR", &quectel, map[string]string{up: "ERROR", status: "+QNETDEVCTL: 0,0,0,0|OK"}, false, "ERROR"},
		{"refuses, and talks nonsense", &quectel, map[string]string{up: "ERROR", status: "+QNETDEVCTL: 1,2,1|OK"}, false, "ERROR"},
		{"refuses, and does not tell", &quectel, map[string]string{up: "+CME ERROR: 149"}, false, "149"},
		{"has no such command", &quectel, nil, false, ""},
		{"is connected, and has two commands", &sim7080, map[string]string{"+CNACT?": `+CNACT: 0,1,"10.1.2.3"|+CNACT: 1,0,"0.0.0.0"|OK`}, false, ""},
		{"no call", &simcom, map[string]string{"$QCRMCALL=1,1": "NO CARRIER", "$QCRMCALL?": "OK"}, false, "NO CARRIER"},
		{"nothing tells", &ublox, map[string]string{"+CGACT=1,1": "+CME ERROR: 149"}, false, "149"},
		{"refuses the second command", &ublox, map[string]string{"+CGACT=1,1": "OK", "+UCEDATA=1,0": "ERROR"}, true, "ERROR"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answers := map[string]string{"+CGACT?": "+CGACT: 1,1|OK"}
			maps.Copy(answers, tt.answers)
			m, _ := fake(t, Config{}, answers)
			m.profile = tt.profile
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
