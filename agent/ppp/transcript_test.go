package ppp

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"minato/agent/ppp/hdlc"
)

// TestServers replays what PPP servers by others said (TestSlirpLive recorded it, and TestClient of testbench/guest), and holds what we
// answer to what they accepted then, octet by octet.
func TestServers(t *testing.T) {
	addr := netip.MustParseAddr
	for _, tt := range []struct {
		server   string // and its recordings' name
		password string
		want     Params
	}{
		{"slirp", "secret", Params{Local: addr("10.0.2.15"), Peer: peerAddr, MTU: 1500, DNS: []netip.Addr{addr("10.255.255.53")}}},
		{"pppd", "sora", Params{Local: addr("10.20.0.2"), Peer: addr("10.20.0.1"), MTU: 1500, DNS: []netip.Addr{addr("10.20.0.53"), addr("10.20.0.54")}}},
	} {
		for _, auth := range slirpAuth {
			tt.want.Auth = auth.want
			name := tt.server + "-" + auth.name
			t.Run(name, func(t *testing.T) { replay(t, "testdata/"+name+".txt", tt.password, tt.want) })
		}
	}
}

// magicOf is the client's magic number in a recording: of the first option 5 (RFC 1661, 6.4) that it sent.
func magicOf(t *testing.T, recording string) uint32 {
	t.Helper()
	d, magic := hdlc.NewDecoder(2000), uint32(0)
	for l := range strings.Lines(recording) {
		way, digits, _ := strings.Cut(strings.TrimSpace(l), " ")
		octets, err := hex.DecodeString(digits)
		if way != ">" || err != nil {
			continue
		}
		d.Decode(octets, func(f []byte) {
			if at := bytes.Index(f, []byte{optMagicNumber, 6}); at >= 0 && at+6 <= len(f) && magic == 0 {
				magic = binary.BigEndian.Uint32(f[at+2:])
			}
		})
	}
	if magic == 0 {
		t.Fatal("no magic number in the recording")
	}
	return magic
}

func replay(t *testing.T, file, password string, want Params) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	magic := magicOf(t, string(text))
	synctest.Test(t, func(t *testing.T) {
		port, line := net.Pipe()
		c := New(port, Config{User: "sora", Password: password, EchoInterval: time.Second})
		c.random = func() uint32 { return magic }
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		echoes := 0
		for l := range strings.Lines(string(text)) {
			way, digits, _ := strings.Cut(strings.TrimSpace(l), " ")
			octets, err := hex.DecodeString(digits)
			switch {
			case way == "#":
				continue
			case err != nil:
				t.Fatalf("%q: %v", l, err)
			case way == "<":
				if _, err := line.Write(octets); err != nil {
					t.Fatal(err)
				}
				continue
			}
			got := make([]byte, len(octets))
			if echoes == 2 { // what follows the second echo is the end
				<-c.Ready()
				cancel()
			}
			if _, err := io.ReadFull(line, got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(hex.EncodeToString(octets), hex.EncodeToString(got)); diff != "" {
				t.Fatalf("we sent (-then +now)\n%s", diff)
			}
			if bytes.Contains(octets, []byte{0xc0, 0x21, 0x7d, 0x29}) {
				echoes++
			}
		}
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if diff := cmp.Diff(want, c.Params(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("parameters (-want +got)\n%s", diff)
		}
		line.Close()
	})
}

// TestQualcomm is a dialogue of pppd with Qualcomm's modems as their users' logs show it, with our server as the modem. Frames
// are given from the protocol on; a space is for the eye, and ? matches any digit.
func TestQualcomm(t *testing.T) {
	const (
		modem = iota
		host
		granted // the network answers
	)
	dialogue := []struct {
		who   int
		frame string
		why   string
	}{
		{modem, "c021 01 00 0019 0206 00000000 0305 c223 05 0506 11223344 0702 0802", "LCP ConfReq, asyncmap, auth, magic, pcomp, accomp"},
		{host, "c021 01 01 001b 0206 00000000 0304 c023 0506 aabbccdd 0702 0802 0d03 06", "the host asks for authentication and callback, too"},
		{modem, "c021 04 01 000b 0304 c023 0d03 06", "both rejected"},
		{host, "c021 01 02 0014 0206 00000000 0506 aabbccdd 0702 0802", ""},
		{modem, "c021 02 02 0014 0206 00000000 0506 aabbccdd 0702 0802", ""},
		{host, "c021 02 00 0019 0206 00000000 0305 c223 05 0506 11223344 0702 0802", ""},
		{modem, "c021 0b 01 0008 11223344", "Discard-Request right after Opened"},
		{modem, "c223 01 01 0023 10 ???????????????????????????????? 554d54535f434841505f53525652", "UMTS_CHAP_SRVR"},
		{host, "c223 02 01 0019 10 000102030405060708090a0b0c0d0e0f 736f7261", "whatever the secret"},
		{modem, "c223 03 01 0004", "Success"},
		{modem, "8021 01 00 0004", "IPCP ConfReq, empty"},
		{host, "80fd 01 01 0004", "CCP"},
		{modem, "c021 08 02 000a 80fd 01010004", ""},
		{host, "8057 01 01 000e 010a 0102030405060708", "IPV6CP"},
		{modem, "c021 08 03 0014 8057 0101000e010a0102030405060708", ""},
		{host, "8021 01 01 001c 0206 002d 0f01 0306 00000000 8106 00000000 8306 00000000", "VJ, address, DNS"},
		{modem, "8021 04 01 000a 0206 002d 0f01", "VJ rejected at once"},
		{host, "8021 03 00 000a 0306 00000000", "the host wants to know the modem's address"},
		{modem, "8021 01 01 0004", "empty again"},
		{host, "8021 02 01 0004", ""},
		{host, "8021 01 02 0016 0306 00000000 8106 00000000 8306 00000000", ""},
		{modem, "8021 03 02 001c 8106 0a0b0c0d 8306 0a0b0c0e 8206 0a0b0c0d 8406 0a0b0c0e", "the bearer is not ready"},
		{host, "8021 01 03 0022 0306 00000000 8106 0a0b0c0d 8306 0a0b0c0e 8206 0a0b0c0d 8406 0a0b0c0e", "a host that takes it all"},
		{modem, "8021 04 03 0010 8206 0a0b0c0d 8406 0a0b0c0e", ""},
		{host, "8021 01 04 0016 0306 00000000 8106 0a0b0c0d 8306 0a0b0c0e", ""},
		{granted, "", ""},
		{modem, "8021 03 04 0016 0306 0a23952d 8106 da040404 8306 da020202", ""},
		{host, "8021 01 05 0016 0306 0a23952d 8106 da040404 8306 da020202", ""},
		{modem, "8021 02 05 0016 0306 0a23952d 8106 da040404 8306 da020202", ""},
		{host, "c021 09 07 000c aabbccdd 01020304", "echo"},
		{modem, "c021 0a 07 000c 11223344 01020304", ""},
		{host, "c021 05 09 0004", "the host ends it"},
		{modem, "c021 06 09 0004", ""},
	}
	synctest.Test(t, func(t *testing.T) {
		port, line := net.Pipe()
		ready := make(chan struct{})
		c := New(port, Config{Server: &Server{Auth: AuthCHAP, Activate: func(ctx context.Context, _ Credentials) (Lease, error) {
			<-ready
			return Lease{netip.MustParseAddr("10.35.149.45"), []netip.Addr{netip.MustParseAddr("218.4.4.4"), netip.MustParseAddr("218.2.2.2")}}, nil
		}}})
		c.random = func() uint32 { return 0x11223344 }
		done := make(chan error, 1)
		go func() { done <- c.Run(t.Context()) }()
		frames := make(chan string, 100)
		go func() { // ends with the pipe
			d := hdlc.NewDecoder(2000)
			buf := make([]byte, 4096)
			for {
				n, err := line.Read(buf)
				d.Decode(buf[:n], func(f []byte) { frames <- hex.EncodeToString(bytes.TrimPrefix(f, []byte{0xff, 0x03})) })
				if err != nil {
					close(frames)
					return
				}
			}
		}()
		for i, d := range dialogue {
			want := strings.ReplaceAll(d.frame, " ", "")
			switch d.who {
			case granted:
				synctest.Wait()
				close(ready)
			case host:
				octets, err := hex.DecodeString(want)
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				line.Write(hdlc.AppendFrame(nil, defaultACCM, []byte{0xff, 0x03}, octets))
			case modem:
				got := []byte(<-frames)
				for at := range min(len(got), len(want)) {
					if want[at] == '?' {
						got[at] = '?'
					}
				}
				if diff := cmp.Diff(want, string(got)); diff != "" {
					t.Fatalf("step %d, %s (-want +got)\n%s", i, d.why, diff)
				}
			}
		}
		line.Close()
		<-done
		for f := range frames {
			t.Errorf("the modem said %s besides", f)
		}
	})
}
