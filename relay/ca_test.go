package relay

import (
	"crypto/x509"
	"net/netip"
	"testing"
	"time"
)

func TestLeafIsRenewed(t *testing.T) {
	now := time.Now()
	material, err := newCAMaterial(now)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := parseCA(material, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	ca.names, ca.addrs = []string{"203-0-113-7.relay.example"}, []netip.Addr{netip.MustParseAddr("203.0.113.7")}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.rootPEM)
	serials := map[string]bool{}
	for range 200 { // weeks
		cert, err := ca.certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"203-0-113-7.relay.example", "203.0.113.7"} {
			if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: now.Add(7 * 24 * time.Hour)}); err != nil {
				t.Fatalf("a week after %s: %v", now, err)
			}
		}
		serials[cert.Leaf.SerialNumber.String()] = true
		now = now.Add(7 * 24 * time.Hour)
	}
	if n := len(serials); n < 20 || n > 30 {
		t.Errorf("%d leaves in 200 weeks", n)
	}
}

func TestParseCABadMaterial(t *testing.T) {
	good, err := newCAMaterial(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"nothing": nil, "text": []byte("x"), "one block": good[:len(good)/3]} {
		if _, err := parseCA(b, time.Now); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestHostname(t *testing.T) {
	for _, tt := range []struct{ addr, domain, want string }{
		{"127.0.0.1", "", "127-0-0-1"},
		{"203.0.113.7", "relay.example", "203-0-113-7.relay.example"},
		{"2001:db8::7", "relay.example", "2001-db8--7.relay.example"},
		{"::1", "", "0--1"},
		{"2001:db8::", "", "2001-db8--0"},
	} {
		if got := hostname(netip.MustParseAddr(tt.addr), tt.domain); got != tt.want {
			t.Errorf("%s under %q: %q, want %q", tt.addr, tt.domain, got, tt.want)
		}
	}
}

func TestCausesHaveTexts(t *testing.T) {
	for code, text := range causeTexts {
		if text.name == "" || code.Text("en") == "" || code.Text("ja") == "" || code.Text("ja") == code.Text("en") {
			t.Errorf("%s: %+v", code, text)
		}
	}
}
