package report

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// tlsRecord makes a record of a type with a body of n bytes that begins with head.
func tlsRecord(kind byte, n int, head ...byte) string {
	body := append(head, make([]byte, n-len(head))...)
	return string([]byte{kind, 3, 3, byte(n >> 8), byte(n)}) + string(body)
}

// arrows are told in short: direction, label, bytes.
func arrows(l *Ladder) []string {
	var lines []string
	for _, a := range l.Arrows {
		direction := "<"
		if a.ToRight {
			direction = ">"
		}
		line := direction + " " + a.text()
		if a.Bytes > 0 {
			line += " " + formatBytes(a.Bytes)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestParseLadder(t *testing.T) {
	tests := []struct {
		name   string
		record func(r *recorder)
		o      LadderOptions
		want   []string
		note   string
	}{
		{
			name: "TLS 1.3 with records cut anywhere",
			record: func(r *recorder) {
				r.open()
				hello := tlsRecord(22, 512, 1)
				r.send(true, ack, hello[:3])
				r.send(true, ack, hello[3:200])
				r.send(true, ack, hello[200:])
				r.send(false, ack, tlsRecord(22, 122, 2)+tlsRecord(20, 1, 1)+tlsRecord(23, 900))
				r.send(false, ack, tlsRecord(23, 100))
				r.send(true, ack, tlsRecord(20, 1, 1)+tlsRecord(23, 53))
				r.close()
			},
			want: []string{
				"> SYN", "< SYN, ACK", "> ClientHello 517 B", "< ServerHello 127 B", "< ChangeCipherSpec 6 B", "< application data ×2 1010 B",
				"> ChangeCipherSpec 6 B", "> application data 58 B", "> FIN", "< FIN",
			},
		},
		{
			name: "TLS alert",
			record: func(r *recorder) {
				r.open()
				r.send(true, ack, tlsRecord(22, 100, 1))
				r.send(false, ack, tlsRecord(22, 80, 2)+tlsRecord(22, 300, 11))
				r.send(true, ack, tlsRecord(21, 2, 2, 48))
				r.send(true, rst, "")
			},
			want: []string{"> SYN", "< SYN, ACK", "> ClientHello 105 B", "< ServerHello 85 B", "< Certificate 305 B", "> alert unknown_ca 7 B", "> RST"},
		},
		{
			name: "SSH refused in order",
			record: func(r *recorder) {
				r.open()
				r.send(true, ack, "SSH-2.0-OpenSSH_9.2\r\n")
				r.send(false, fin|ack, "")
				r.send(true, fin|ack, "")
			},
			want: []string{"> SYN", "< SYN, ACK", "> SSH-2.0-OpenSSH_9.2 21 B", "< FIN", "> FIN"},
		},
		{
			name: "HTTP twice on a connection",
			record: func(r *recorder) {
				r.open()
				for range 2 {
					r.send(true, ack, "GET /plant HTTP/1.1\r\nHost: x\r\n\r\n")
					r.send(false, ack, "HTTP/1.1 200 OK\r\n\r\n")
					r.send(false, ack, "page")
				}
			},
			want: []string{
				"> SYN", "< SYN, ACK", "> GET /plant HTTP/1.1 32 B", "< HTTP/1.1 200 OK 19 B", "< HTTP data 4 B",
				"> GET /plant HTTP/1.1 32 B", "< HTTP/1.1 200 OK 19 B", "< HTTP data 4 B",
			},
		},
		{
			name: "RFB",
			record: func(r *recorder) {
				r.open()
				r.send(false, ack, "RFB 003.008\n")
				r.send(true, ack, "RFB 003.008\n")
				r.send(false, ack, "\x01\x01")
			},
			want: []string{"> SYN", "< SYN, ACK", "< RFB 003.008 12 B", "> RFB 003.008 12 B", "< RFB data 2 B"},
		},
		{
			name: "Modbus read and exception",
			record: func(r *recorder) {
				r.open()
				r.send(true, ack, "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x6b\x00\x03")
				r.send(false, ack, "\x00\x01\x00\x00\x00\x03\x01\x83\x02")
			},
			want: []string{"> SYN", "< SYN, ACK", "> Modbus read holding registers 12 B", "< Modbus exception 2 (read holding registers) 9 B"},
		},
		{
			name: "RDP",
			record: func(r *recorder) {
				r.open()
				r.send(true, ack, "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00")
				r.send(false, ack, "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x01\x00\x00\x00")
			},
			want: []string{"> SYN", "< SYN, ACK", "> X.224 connection request 19 B", "< X.224 connection confirm 19 B"},
		},
		{
			name: "sent again, and a gap",
			record: func(r *recorder) {
				r.send(true, syn, "")
				r.up--
				r.send(true, syn, "") // the first was lost
				r.send(false, syn|ack, "")
				r.send(true, ack, "hello")
				r.up -= 5
				r.send(true, ack, "hello world") // the first part came before
				r.up += 100                      // not captured
				r.send(true, ack, "again")
			},
			want: []string{"> SYN ×2", "< SYN, ACK", "> data ×3 16 B"},
			note: "some packets are missing from the capture",
		},
		{
			name: "two connections, and a third to another port",
			record: func(r *recorder) {
				r.open()
				r.close()
				r.client = netip.AddrPortFrom(clientAddr.Addr(), 40001)
				r.send(true, syn, "")
				r.send(false, rst|ack, "")
				r.sendAt(clientAddr, netip.AddrPortFrom(serverAddr.Addr(), 8080), 1, syn, "")
			},
			o:    LadderOptions{Server: serverAddr},
			want: []string{"> SYN", "< SYN, ACK", "> FIN", "< FIN", "> SYN (connection 2)", "< RST"},
		},
		{
			name:   "begins in the middle",
			record: func(r *recorder) { r.send(false, ack, "answer"); r.send(true, ack, "question") },
			o:      LadderOptions{MinPort: 10000, Server: netip.AddrPortFrom(serverAddr.Addr(), 0)},
			want:   []string{"< data 6 B", "> data 8 B"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := ParseLadder(bytes.NewReader(record(t, tt.record)), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, arrows(l)); diff != "" {
				t.Errorf("arrows (-want +got):\n%s", diff)
			}
			if l.Note != tt.note {
				t.Errorf("note %q, want %q", l.Note, tt.note)
			}
		})
	}
}

// A capture that keeps only the heads of packets still gives the sizes.
func TestParseLadderShortSnapLength(t *testing.T) {
	var buf bytes.Buffer
	r := newRecorder(t, &buf, layers.LinkTypeRaw)
	r.open()
	ng := r.ng
	whole := record(t, func(r *recorder) { r.up++; r.send(true, ack, strings.Repeat("x", 1000)) })
	pcap, err := pcapgo.NewNgReader(bytes.NewReader(whole), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := pcap.ReadPacketData()
	if err != nil {
		t.Fatal(err)
	}
	r.write(data[:60], data)
	if err := ng.Flush(); err != nil {
		t.Fatal(err)
	}
	l, err := ParseLadder(&buf, LadderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"> SYN", "< SYN, ACK", "> data 1000 B"}
	if diff := cmp.Diff(want, arrows(l)); diff != "" {
		t.Errorf("arrows (-want +got):\n%s", diff)
	}
}

func TestParseLadderElides(t *testing.T) {
	capture := record(t, func(r *recorder) {
		r.open()
		for range 500 {
			r.send(true, ack, "ping")
			r.send(false, ack, "pong")
		}
		r.close()
	})
	l, err := ParseLadder(bytes.NewReader(capture), LadderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Arrows) != maxArrows || l.Elided != 1004-maxArrows || l.ElidedAfter != headArrows {
		t.Errorf("%d arrows, %d elided after %d", len(l.Arrows), l.Elided, l.ElidedAfter)
	}
	if last := l.Arrows[maxArrows-1]; last.Label != "FIN" || last.ToRight {
		t.Errorf("the last arrow is %+v, and the end of the capture is wanted", last)
	}
}

func TestParseLadderDamaged(t *testing.T) {
	whole := record(t, func(r *recorder) { r.open(); r.send(true, ack, "SSH-2.0-x\r\n"); r.close() })
	cut, err := ParseLadder(bytes.NewReader(whole[:len(whole)-50]), LadderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(cut.Arrows) < 3 || !strings.HasPrefix(cut.Note, "the capture is cut or damaged") {
		t.Errorf("cut: %d arrows, note %q", len(cut.Arrows), cut.Note)
	}
	for _, bad := range []string{"", "abc", "GET / HTTP/1.1\r\n\r\n and more than a header"} {
		if _, err := ParseLadder(strings.NewReader(bad), LadderOptions{}); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func FuzzParseLadder(f *testing.F) {
	f.Add(record(f, func(r *recorder) {
		r.open()
		r.send(true, ack, tlsRecord(22, 60, 1))
		r.send(false, ack, tlsRecord(21, 2, 2, 40))
		r.close()
	}))
	f.Add(record(f, func(r *recorder) { r.open(); r.send(true, ack, "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x6b\x00\x03") }))
	f.Fuzz(func(t *testing.T, capture []byte) {
		l, err := ParseLadder(bytes.NewReader(capture), LadderOptions{})
		if err != nil {
			return
		}
		if len(l.Arrows) > maxArrows {
			t.Errorf("%d arrows", len(l.Arrows))
		}
		if err := l.WriteSVG(io.Discard); err != nil {
			t.Error(err)
		}
		if err := l.WriteText(io.Discard); err != nil {
			t.Error(err)
		}
	})
}

// FuzzSegment goes past the file format, to what stands in packets.
func FuzzSegment(f *testing.F) {
	f.Add([]byte("\x45\x00\x00\x28\x00\x00\x00\x00\x40\x06\x00\x00\xc0\x00\x02\x07\xcb\x00\x71\x09\x9c\x40\x27\x8b\x00\x00\x03\xe8\x00\x00\x00\x00\x50\x18\x00\x00\x00\x00\x00\x00\x16\x03\x01\x00\x05\x01"), uint16(101))
	f.Fuzz(func(t *testing.T, packet []byte, linkType uint16) {
		tr := newTracker(LadderOptions{})
		for range 2 {
			tr.packet(packet, layers.LinkType(linkType), time.Unix(1, 0))
		}
		tr.finish()
	})
}
