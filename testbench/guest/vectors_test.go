package guest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"minato/agent/ppp"
	"minato/agent/ppp/hdlc"
)

const vectors = "testdata/pppd-chap.txt"

// provenance is the head of a recording.
func provenance(t *testing.T, s *sharedGuest) string {
	t.Helper()
	return fmt.Sprintf(`# Debian's pppd %s on kernel %s,
# in qemu, dials the emulator's modem with chat; CHAP, user and password sora. Recorded on %s by TestSession -record.
# ">" is what the guest sent until the modem spoke, "<" what the modem sent. In it: AT commands, LCP, CHAP, IPCP, IPV6CP (rejected),
# a DNS query, a file fetched from the guest, the orderly end.
`, s.image.Packages["ppp"], s.sh(t, "uname -rv"), time.Now().UTC().Format(time.DateOnly))
}

// dataMode gives what each side sent in data mode: from behind CONNECT to before NO CARRIER.
func dataMode(t *testing.T) (pppd, modem []byte) {
	t.Helper()
	text, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	online := false
	for line := range strings.Lines(string(text)) {
		way, digits, _ := strings.Cut(strings.TrimSpace(line), " ")
		if way == "#" {
			continue
		}
		octets, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch {
		case !online:
			var rest []byte
			if _, rest, online = bytes.Cut(octets, []byte("\r\nCONNECT 150000000\r\n")); online {
				modem = append(modem, rest...)
			}
		case way == ">":
			pppd = append(pppd, octets...)
		default:
			octets, _, _ = bytes.Cut(octets, []byte("\r\nNO CARRIER\r\n"))
			modem = append(modem, octets...)
		}
	}
	return pppd, modem
}

// frames are the line's frames from the protocol field on, and as they came.
type frame struct {
	protocol ppp.Protocol
	payload  []byte
	whole    []byte
}

// decode cuts the line into chunks of that size, and fails on a frame that is not in order.
func decode(t *testing.T, line []byte, size int) []frame {
	t.Helper()
	var frames []frame
	d := hdlc.NewDecoder(1600)
	for len(line) > 0 {
		n := min(size, len(line))
		d.Decode(line[:n], func(b []byte) {
			f := frame{whole: bytes.Clone(b)}
			rest := bytes.TrimPrefix(f.whole, []byte{0xff, 0x03})
			if len(rest) > 0 && rest[0]&1 == 1 { // RFC 1661 section 6.5: compressed
				f.protocol, f.payload = ppp.Protocol(rest[0]), rest[1:]
			} else if len(rest) > 1 {
				f.protocol, f.payload = ppp.Protocol(binary.BigEndian.Uint16(rest)), rest[2:]
			}
			frames = append(frames, f)
		})
		line = line[n:]
	}
	if want := (hdlc.Counters{Good: uint64(len(frames))}); d.Counters != want {
		t.Errorf("the decoder counts %+v, want %+v", d.Counters, want)
	}
	return frames
}

// TestVectors holds our framing, and the checks of credentials, against what pppd and the kernel have said.
func TestVectors(t *testing.T) {
	line, back := dataMode(t)
	frames := decode(t, line, 1<<20)
	if diff := cmp.Diff(frames, decode(t, line, 1), cmp.AllowUnexported(frame{})); diff != "" {
		t.Errorf("frames cut by octets (-whole +cut)\n%s", diff)
	}
	var got []string
	for _, f := range frames {
		accm := uint32(0)
		switch f.protocol {
		case ppp.ProtoIPv4:
			continue
		case ppp.ProtoLCP:
			if ppp.Code(f.payload[0]) <= ppp.CodeReject { // RFC 1662 section 7: as if nothing had been agreed on
				accm = 0xffffffff
			}
		}
		if again := hdlc.AppendFrame(nil, accm, nil, f.whole); !bytes.Contains(line, again[1:]) {
			t.Errorf("we would frame %x as %x, which is not what was sent", f.whole, again)
		}
		if n := int(binary.BigEndian.Uint16(f.payload[2:])); n != len(f.payload) {
			t.Errorf("packet %x has the length %d", f.payload, n)
		}
		got = append(got, fmt.Sprintf("%04x %d %d", uint16(f.protocol), f.payload[0], f.payload[1]))
	}
	want := []string{ // two things in it that only a foreign peer does: IPV6CP, and a name for the peer that gave none (IPCP Configure-Nak)
		"c021 1 1", "c021 2 1", "c021 9 0", // LCP: asks, agrees to CHAP, Echo-Request
		"c223 2 1", // CHAP Response
		"8021 1 1", "8057 1 1", "8021 3 0", "8021 1 2", "8021 2 1", "8021 1 3",
		"c021 5 2", // LCP Terminate-Request
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pppd's packets: protocol, code, identifier (-want +got)\n%s", diff)
	}

	var said ppp.Credentials
	for _, f := range decode(t, back, 1<<20) {
		if f.protocol == ppp.ProtoCHAP && f.payload[0] == 1 { // Challenge
			said.ID, said.Challenge = f.payload[1], f.payload[5:5+f.payload[4]]
		}
	}
	for _, f := range frames {
		if f.protocol == ppp.ProtoCHAP && f.payload[0] == 2 { // Response
			size := f.payload[4]
			said.Protocol, said.Response, said.Name = ppp.AuthCHAP, f.payload[5:5+size], string(f.payload[5+size:])
		}
	}
	if !said.Matches("sora", "sora") || said.Matches("sora", "sorry") {
		t.Errorf("pppd's answer %+v is not taken for what it is", said)
	}
}
