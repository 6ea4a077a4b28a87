package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// expectOrderlyRefusal reads a capture and wants what a refused client must see on the wire from the relay's port: a FIN, no RST (from either
// side), and not one byte of payload.
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
	for {
		b, _, err := r.ReadPacketData()
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
		side.payload += len(tcp.Payload)
		for flag, count := range map[*int]bool{&side.syn: tcp.SYN, &side.fin: tcp.FIN, &side.rst: tcp.RST} {
			if count {
				*flag++
			}
		}
	}
	switch {
	case fromRelay.syn == 0 || toRelay.payload == 0:
		return fmt.Errorf("the capture does not hold the connection: from the relay %+v, to it %+v", fromRelay, toRelay)
	case fromRelay.payload != 0:
		return fmt.Errorf("the relay sent %d bytes to a client that it refused", fromRelay.payload)
	case fromRelay.rst != 0 || toRelay.rst != 0:
		return fmt.Errorf("the connection ended with RST: from the relay %+v, to it %+v", fromRelay, toRelay)
	case fromRelay.fin == 0:
		return fmt.Errorf("the relay sent no FIN: %+v", fromRelay)
	}
	return nil
}
