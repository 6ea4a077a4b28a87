package core

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"minato/agent/netstack/capture"
	"minato/agent/ppp/hdlc"
)

// Direction is the way of a PPP frame.
type Direction int

// The directions.
const (
	FromDevice Direction = iota
	ToDevice
)

func (d Direction) ofCapture() capture.Direction {
	if d == FromDevice {
		return capture.Inbound
	}
	return capture.Outbound
}

// PPPFrame adds a frame on a subscriber's line to Config.CapturePPP: from the address field (or from the protocol, where the line compresses
// it away) to before the FCS. It keeps no slice. Frames of an IMSI that the network does not know are left out.
func (c *Core) PPPFrame(imsi string, dir Direction, frame []byte) {
	if c.capturePPP == nil {
		return
	}
	if sub := c.byIMSI[imsi]; sub != nil { // which never changes after New
		c.capturePPP.Packet(sub.iface, dir.ofCapture(), frame)
	}
}

// maxPPPFrame is more than any MRU that is negotiated here.
const maxPPPFrame = 1 << 14

// PPPLine is PPPFrame for who has the octets of a line and not its frames (RFC 1662): write them in the order of the line, one PPPLine for a
// direction of a call. It is nil when there is no capture. Writing never fails; frames with a wrong FCS are left out.
func (c *Core) PPPLine(imsi string, dir Direction) io.Writer {
	if c.capturePPP == nil {
		return nil
	}
	return &pppLine{core: c, imsi: imsi, dir: dir, decoder: hdlc.NewDecoder(maxPPPFrame)}
}

type pppLine struct {
	core *Core
	imsi string
	dir  Direction

	mu      sync.Mutex
	decoder *hdlc.Decoder
}

func (l *pppLine) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.decoder.Decode(p, func(frame []byte) { l.core.PPPFrame(l.imsi, l.dir, frame) })
	return len(p), nil
}

// runCapture writes what was captured every second and at the end.
func (c *Core) runCapture(ctx context.Context, w *capture.Writer) error {
	if w == nil {
		return nil
	}
	tick := time.NewTicker(flushInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if err := w.Flush(); err != nil { // the network is worth more than its recording
			c.log.Error("capture failed", "error", err)
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// FlushCapture writes every packet captured so far, to both files.
func (c *Core) FlushCapture() error {
	var errs []error
	for _, w := range []*capture.Writer{c.capture, c.capturePPP} {
		if w != nil {
			errs = append(errs, w.Flush())
		}
	}
	return errors.Join(errs...)
}
