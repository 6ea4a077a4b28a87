package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// expectOrderlyRefusal reads a capture and wants what a refused client must see on the wire from the relay's port: a FIN, no RST (from either
// side, until both have sent their FIN), and not one byte of payload.
func expectOrderlyRefusal(path string, port int) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the capture: %w", err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		return fmt.Errorf("reading the capture: %w", err)
	}
	var fromRelay, toRelay struct{ syn, fin, rst, payload int }
	var seen strings.Builder
	for {
		b, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the capture: %w", err)
		}
		p := gopacket.NewPacket(b, r.LinkType(), gopacket.DecodeOptions{Lazy: true, NoCopy: true})
		tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok || int(tcp.SrcPort) != port && int(tcp.DstPort) != port {
			continue
		}
		side := &toRelay
		if int(tcp.SrcPort) == port {
			side = &fromRelay
		}
		fmt.Fprintf(&seen, "\n%s %d > %d seq %d ack %d syn %t fin %t rst %t, %d octets", info.Timestamp.Format("05.000000"),
			tcp.SrcPort, tcp.DstPort, tcp.Seq, tcp.Ack, tcp.SYN, tcp.FIN, tcp.RST, len(tcp.Payload))
		// A machine that has forgotten a connection answers a late acknowledgement of it so (RFC 9293, section 3.10.7.1).
		late := side == &toRelay && fromRelay.fin > 0 && toRelay.fin > 0
		side.payload += len(tcp.Payload)
		for flag, count := range map[*int]bool{&side.syn: tcp.SYN, &side.fin: tcp.FIN, &side.rst: tcp.RST && !late} {
			if count {
				*flag++
			}
		}
	}
	switch {
	case fromRelay.syn == 0 || toRelay.payload == 0:
		return fmt.Errorf("the capture does not hold the connection:%s", &seen)
	case fromRelay.payload != 0:
		return fmt.Errorf("the relay sent %d bytes to a client that it refused:%s", fromRelay.payload, &seen)
	case fromRelay.rst != 0 || toRelay.rst != 0:
		return fmt.Errorf("the connection ended with RST:%s", &seen)
	case fromRelay.fin == 0:
		return fmt.Errorf("the relay sent no FIN:%s", &seen)
	}
	return nil
}
