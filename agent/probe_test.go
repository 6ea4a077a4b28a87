package agent

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// The query is one that another reader of RFC 1035 takes.
func TestDNSQuery(t *testing.T) {
	var p dnsmessage.Parser
	h, err := p.Start(dnsQuery(0x1234))
	if err != nil || h.ID != 0x1234 || h.Response || !h.RecursionDesired {
		t.Fatalf("%+v %v", h, err)
	}
	q, err := p.AllQuestions()
	if err != nil || len(q) != 1 || q[0].Name.String() != "." || q[0].Type != dnsmessage.TypeNS || q[0].Class != dnsmessage.ClassINET {
		t.Errorf("%+v %v", q, err)
	}
}

func TestProbe(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	answers := make(chan []byte, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			a, more := <-answers
			if !more {
				return
			}
			if a == nil {
				a = b[:n]
				server.WriteTo([]byte{1}, from)              // too short
				server.WriteTo(append([]byte{}, a...), from) // a query
				a[2] |= 0x80
			}
			server.WriteTo(a, from)
		}
	}()
	p := prober{"udp", server.LocalAddr().(*net.UDPAddr).AddrPort()}
	var d net.Dialer
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	answers <- nil
	if err := p.ask(ctx, d.DialContext); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	answers <- []byte("nonsense that is long enough")
	if err := p.ask(short, d.DialContext); !errors.Is(err, errProbe) {
		t.Errorf("nonsense: %v", err)
	}
	close(answers)
	server.Close()
	<-done
	if err := p.ask(ctx, d.DialContext); err != nil {
		t.Errorf("a refusal is an answer: %v", err)
	}
	p.network = "tcp"
	if err := p.ask(ctx, d.DialContext); err != nil {
		t.Errorf("a refusal is an answer: %v", err)
	}
}

func TestParseProbe(t *testing.T) {
	told := []netip.Addr{netip.MustParseAddr("100.127.0.53")}
	tests := []struct{ target, want string }{
		{"dns", "udp 100.127.0.53:53"}, {"dns://10.0.0.1", "udp 10.0.0.1:53"}, {"dns://10.0.0.1:54", "udp 10.0.0.1:54"}, {"tcp://10.0.0.1:80", "tcp 10.0.0.1:80"},
		{"none", ""}, {"tcp://host:80", "bad"}, {"tcp://10.0.0.1", "bad"}, {"icmp://10.0.0.1", "bad"}, {"tcp://10.0.0.1:0", "bad"}, {"", "bad"},
	}
	for _, tt := range tests {
		p, ok, err := parseProbe(tt.target, told)
		got := ""
		if ok {
			got = p.network + " " + p.to.String()
		}
		if err != nil {
			got = "bad"
		}
		if got != tt.want {
			t.Errorf("%q: %q (%v), want %q", tt.target, got, err, tt.want)
		}
	}
	if _, ok, err := parseProbe("dns", nil); ok || err != nil {
		t.Errorf("with no server told: %v %v", ok, err)
	}
}
