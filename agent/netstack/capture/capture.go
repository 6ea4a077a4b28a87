// Package capture writes IP packets or PPP frames as pcapng (nanosecond time stamps) for tshark and Wireshark to judge. The file
// always ends with a whole block, so it can be read while it grows:
//
//	w, err := capture.New(file)
//	dev, err := w.Interface("modem0", "IMSI 440101234567890")
//	w.Packet(dev, capture.Inbound, packet)
//	err = w.Flush()
package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// flushSize is how much is gathered before it is written without being asked.
const flushSize = 64 << 10

// Direction is how a packet crosses an interface.
type Direction int

// Directions as pcapng's epb_flags tell them.
const (
	Unknown  Direction = iota
	Inbound            // received by the interface
	Outbound           // sent by it
)

// Link is what all packets of a file begin with.
type Link = layers.LinkType

// The links.
const (
	IP  Link = layers.LinkTypeRaw // an IP header
	PPP Link = layers.LinkTypePPP // address and control (RFC 1662 section 3.1), or the protocol where they are left out; without FCS
)

// Writer is one pcapng file. It is safe for concurrent use.
type Writer struct {
	link    Link
	mu      sync.Mutex
	dst     io.Writer
	pending bytes.Buffer // whole blocks only
	ng      *pcapgo.NgWriter
	last    time.Time
	ids     int
	err     error // the first one: nothing is written after it
}

// New begins a file of IP packets on w with its first interface, which is what packets of interface 0 belong to, named "any".
func New(w io.Writer) (*Writer, error) { return NewLink(w, IP) }

// NewLink is New for another link.
func NewLink(w io.Writer, link Link) (*Writer, error) {
	c := &Writer{link: link, dst: w, ids: 1}
	ng, err := pcapgo.NewNgWriterInterface(&c.pending, c.describe("any", ""), pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{Application: "minato"},
	})
	if err != nil {
		return nil, fmt.Errorf("beginning the capture: %w", err)
	}
	c.ng = ng
	return c, c.Flush()
}

func (w *Writer) describe(name, description string) pcapgo.NgInterface {
	return pcapgo.NgInterface{Name: name, Description: description, LinkType: w.link, TimestampResolution: 9}
}

// Interface adds an interface and returns its number.
func (w *Writer) Interface(name, description string) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	id, err := w.ng.AddInterface(w.describe(name, description))
	if err != nil {
		return 0, w.failLocked(err)
	}
	w.ids = id + 1
	return id, nil
}

// Packet adds a packet as of now. It blocks while the file does; an error ends the capture and is returned by Flush.
func (w *Writer) Packet(iface int, dir Direction, packet []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	if iface < 0 || iface >= w.ids {
		w.failLocked(fmt.Errorf("no interface %d", iface))
		return
	}
	now := time.Now()
	if now.Before(w.last) { // time stamps never run backwards, though the clock may be set
		now = w.last
	}
	w.last = now
	ci := gopacket.CaptureInfo{Timestamp: now, CaptureLength: len(packet), Length: len(packet), InterfaceIndex: iface}
	var opts pcapgo.NgPacketOptions
	switch dir {
	case Inbound:
		opts.Flags = &pcapgo.NgEpbFlags{Direction: pcapgo.NgEpbFlagDirectionInbound}
	case Outbound:
		opts.Flags = &pcapgo.NgEpbFlags{Direction: pcapgo.NgEpbFlagDirectionOutbound}
	}
	if err := w.ng.WritePacketWithOptions(ci, packet, opts); err != nil {
		w.failLocked(err)
		return
	}
	if w.pending.Len() >= flushSize {
		w.flushLocked()
	}
}

// Flush writes all packets so far.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushLocked()
	return w.err
}

func (w *Writer) flushLocked() {
	if w.err != nil {
		return
	}
	if err := w.ng.Flush(); err != nil { // into pending: the NgWriter's own buffer may hold part of a block
		w.failLocked(err)
		return
	}
	if w.pending.Len() == 0 {
		return
	}
	if _, err := w.dst.Write(w.pending.Bytes()); err != nil {
		w.failLocked(err)
	}
	w.pending.Reset()
}

func (w *Writer) failLocked(err error) error {
	if w.err == nil {
		w.err = errors.Join(errors.New("the capture ended early"), err)
	}
	return w.err
}
