package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// query packs a question, with an OPT record of this version when it is not negative.
func query(t testing.TB, name string, qtype dnsmessage.Type, class dnsmessage.Class, version int) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 77, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: qtype, Class: class}},
	}
	if version >= 0 {
		r := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
		r.Header.SetEDNS0(1232, 0, false)
		r.Header.TTL |= uint32(version) << 16
		m.Additionals = append(m.Additionals, r)
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func platformNames() []PlatformService {
	var list []PlatformService
	for i := range 40 {
		list = append(list, PlatformService{
			Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{100, 127, 100, byte(1 + i)}), 80), Protocol: TCP, Name: "Many.soracom.io", Target: "127.0.0.1:1",
		})
	}
	return append(list, PlatformService{Addr: netip.MustParseAddrPort("100.127.127.100:8888"), Protocol: UDP, Name: "beam.soracom.io", Target: "localhost:1"},
		PlatformService{Addr: netip.MustParseAddrPort("100.127.127.100:8888"), Protocol: TCP, Name: "beam.soracom.io", Target: "localhost:1"})
}

// TestNames asks for names of every kind, with devices' names and without.
func TestNames(t *testing.T) {
	subs := openSubscribers(2)
	subs[0].SIMID, subs[1].SIMID = "Here", "away"
	open := startCore(t, Config{Subscribers: subs, AllowDeviceToDevice: true, Platform: platformNames()})
	activate(t, open, subs[0])
	isolated := startCore(t, Config{Subscribers: subs, Platform: platformNames()})
	activate(t, isolated, subs[0])
	const (
		in      = dnsmessage.ClassINET
		success = dnsmessage.RCodeSuccess
		refused = dnsmessage.RCodeRefused
		noName  = dnsmessage.RCodeNameError
	)
	tests := []struct {
		name   string
		qtype  dnsmessage.Type
		class  dnsmessage.Class
		rcode  dnsmessage.RCode // of both, unless
		answer string
		closed dnsmessage.RCode // is what the isolated network says
	}{
		{"gateway.minato.", dnsmessage.TypeA, in, success, "100.127.0.1", success},
		{"GateWay.MINATO.", dnsmessage.TypeALL, in, success, "100.127.0.1", success},
		{"gateway.minato.", dnsmessage.TypeAAAA, in, success, "", success},
		{"minato.", dnsmessage.TypeA, in, success, "", success},
		{"other.minato.", dnsmessage.TypeA, in, noName, "", noName},
		{"a.gateway.minato.", dnsmessage.TypeA, in, noName, "", noName},
		{"gateway.minato.", dnsmessage.TypeA, dnsmessage.ClassCHAOS, refused, "", refused},
		{"beam.soracom.io.", dnsmessage.TypeA, in, success, "100.127.127.100", success},
		{"soracom.io.", dnsmessage.TypeA, in, refused, "", refused},
		{"example.com.", dnsmessage.TypeA, in, refused, "", refused},
		{".", dnsmessage.TypeNS, in, refused, "", refused},
		{"here.sim.", dnsmessage.TypeA, in, success, "10.128.0.1", refused},
		{subs[0].IMSI + ".sim.", dnsmessage.TypeA, in, success, "10.128.0.1", refused},
		{"away.sim.", dnsmessage.TypeA, in, success, "", refused},
		{"nobody.sim.", dnsmessage.TypeA, in, noName, "", refused},
		{"a.here.sim.", dnsmessage.TypeA, in, noName, "", refused},
		{"sim.", dnsmessage.TypeA, in, success, "", refused},
		{"many.soracom.io.", dnsmessage.TypeA, in, success, "100.127.100.1", success},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.name, tt.qtype, tt.class), func(t *testing.T) {
			for _, version := range []int{-1, 0} {
				q := query(t, tt.name, tt.qtype, tt.class, version)
				for c, rcode := range map[*Core]dnsmessage.RCode{open: tt.rcode, isolated: tt.closed} {
					var m dnsmessage.Message
					if err := m.Unpack(c.names.answer(q, dnsMaximum)); err != nil {
						t.Fatal(err)
					}
					got := ""
					if len(m.Answers) > 0 {
						got = netip.AddrFrom4(m.Answers[0].Body.(*dnsmessage.AResource).A).String()
					}
					want := tt.answer
					if rcode != success {
						want = ""
					}
					if m.RCode != rcode || got != want || m.ID != 77 || m.Questions[0].Name.String() != tt.name ||
						m.Authoritative != (rcode != refused) || len(m.Additionals) != 1+version {
						t.Errorf("isolated %v: %+v, want %v %q", c == isolated, m, rcode, want)
					}
				}
			}
		})
	}
	t.Run("truncated", func(t *testing.T) {
		var m dnsmessage.Message
		if err := m.Unpack(open.names.answer(query(t, "many.soracom.io.", dnsmessage.TypeA, in, -1), dnsMinimum)); err != nil || !m.Truncated || len(m.Answers) != 0 {
			t.Errorf("%+v, %v", m, err)
		}
		if err := m.Unpack(open.names.answer(query(t, "many.soracom.io.", dnsmessage.TypeA, in, 0), dnsMinimum)); err != nil || m.Truncated || len(m.Answers) != 40 {
			t.Errorf("with EDNS: %+v, %v", m, err)
		}
	})
	t.Run("EDNS version", func(t *testing.T) {
		var m dnsmessage.Message
		if err := m.Unpack(open.names.answer(query(t, "gateway.minato.", dnsmessage.TypeA, in, 1), dnsMinimum)); err != nil {
			t.Fatal(err)
		}
		if got := m.Additionals[0].Header.ExtendedRCode(m.RCode); got != 16 || len(m.Answers) != 0 {
			t.Errorf("%v %+v", got, m)
		}
	})
}

// TestMalformedQueries wants FORMERR, NOTIMP or silence.
func TestMalformedQueries(t *testing.T) {
	n := (&Core{cfg: Config{Gateway: defaultGateway}}).newNames()
	good := query(t, "gateway.minato.", dnsmessage.TypeA, dnsmessage.ClassINET, 0)
	edit := func(at int, b byte) []byte { q := append([]byte(nil), good...); q[at] = b; return q }
	opt := good[len(good)-11:]
	const silence = dnsmessage.RCode(255)
	tests := []struct {
		name  string
		query []byte
		want  dnsmessage.RCode
	}{
		{"good", good, dnsmessage.RCodeSuccess},
		{"empty", nil, silence},
		{"half a header", good[:11], silence},
		{"a reply", edit(2, 0x81), silence},
		{"status", edit(2, 2<<3), dnsmessage.RCodeNotImplemented},
		{"no question", edit(5, 0), dnsmessage.RCodeFormatError},
		{"two questions", edit(5, 2), dnsmessage.RCodeFormatError},
		{"an answer", edit(7, 1), dnsmessage.RCodeFormatError},
		{"cut", good[:20], dnsmessage.RCodeFormatError},
		{"additionals that are not there", edit(11, 2), dnsmessage.RCodeFormatError},
		{"two OPT", append(edit(11, 2), opt...), dnsmessage.RCodeFormatError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := n.answer(tt.query, dnsMinimum)
			got := silence
			if answer != nil {
				var m dnsmessage.Message
				if err := m.Unpack(answer); err != nil {
					t.Fatal(err)
				}
				got = m.RCode
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestNameServerTCP asks twice on a connection, then sends what no resolver does.
func TestNameServerTCP(t *testing.T) {
	subs := openSubscribers(1)
	c := startCore(t, Config{Subscribers: subs})
	host := startDevice(t, activate(t, c, subs[0]))
	dial := func() net.Conn {
		conn, err := host.DialContext(testContext(t), "tcp", "100.127.1.53:53")
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn := dial()
	q := query(t, "gateway.minato.", dnsmessage.TypeA, dnsmessage.ClassINET, -1)
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(q))), q...)
	conn.Write(append(append([]byte(nil), framed...), framed...))
	for range 2 {
		head := make([]byte, 2)
		if _, err := io.ReadFull(conn, head); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, binary.BigEndian.Uint16(head))
		if _, err := io.ReadFull(conn, answer); err != nil {
			t.Fatal(err)
		}
		var m dnsmessage.Message
		if err := m.Unpack(answer); err != nil || len(m.Answers) != 1 {
			t.Errorf("%+v, %v", m, err)
		}
	}
	for _, bad := range []string{"\xff\xff", "\x00\x03abc", "\x00\x00"} {
		conn := dial()
		io.WriteString(conn, bad)
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%q is answered", bad)
		}
	}
	var all []net.Conn
	ended := 0
	for range dnsClients + 1 {
		conn, err := host.DialContext(testContext(t), "tcp", "100.127.1.53:53")
		if errors.Is(err, syscall.ECONNREFUSED) { // its reset came before the dial was over
			ended++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		all = append(all, conn)
	}
	for _, conn := range all { // the one too many is reset; the others are answered, or idle too long
		conn.Write(framed)
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			ended++
		}
	}
	if ended == 0 {
		t.Error("connections have no limit")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("\x00\x4d\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04pong\x07soracom\x02io\x00\x00\x01\x00\x01"))
	f.Add([]byte("\x00\x4d\x81\x80\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(query(f, "gateway.minato.", dnsmessage.TypeA, dnsmessage.ClassINET, 0))
	f.Add(query(f, "Here.sim.", dnsmessage.TypeALL, dnsmessage.ClassINET, 1))
	n := (&Core{cfg: Config{Gateway: defaultGateway, Platform: platformNames()}}).newNames()
	n.devices = func(simID string) (netip.Addr, found) { return defaultGateway, foundName }
	f.Fuzz(func(t *testing.T, query []byte) {
		for _, limit := range []int{dnsMinimum, dnsMaximum} {
			answer := n.answer(query, limit)
			if answer == nil {
				continue
			}
			var m dnsmessage.Message
			if err := m.Unpack(answer); err != nil || !m.Response || len(answer) > max(limit, dnsEDNS) {
				t.Fatalf("answer % x: %v", answer, err)
			}
			if n.answer(answer, limit) != nil {
				t.Fatal("an answer is answered")
			}
		}
	})
}
