package relay

import (
	"context"
	"sync"
	"time"

	"minato/relay/recognize"
	"minato/relay/store"
)

const (
	probeTimeout = 2 * time.Second  // for a banner: a device that speaks first does so at once
	probeAge     = 10 * time.Minute // a device is asked at most this often for what silent clients wait for
)

// banner is what a mapping's device says by itself. It is asked for when a client is silent on TLS: what the client waits for tells the cure
// (cause R06). Silent clients may be many, so the answer is kept, and the device's radio has peace.
type banner struct {
	mu       sync.Mutex // held while the device is asked: others wait for the same answer
	asked    time.Time  // guarded by mu
	protocol recognize.Protocol
}

// refuseSilence ends a silent client's connection, then finds out what it was waiting for.
func (c *connection) refuseSilence(ctx context.Context) {
	if h, ok := c.client.(halfCloser); ok {
		h.CloseWrite() // the client need not wait for the probe; if this fails it has gone
	}
	switch p := c.mapping.banner(ctx); {
	case ctx.Err() != nil:
	case p == recognize.Unknown:
		c.entry.End = say(wordDeviceSilent)
	default:
		c.entry.Device = p.String()
		c.entry.End = say(wordDeviceFirst, p, p.Words())
	}
	c.refuse(store.Denied, CauseSilentOnTLS)
}

// banner tells what the device speaks first, Unknown if it is silent or cannot be reached.
func (pm *portMapping) banner(ctx context.Context) recognize.Protocol {
	b := &pm.deviceBanner
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.asked.IsZero() && time.Since(b.asked) < probeAge {
		return b.protocol
	}
	b.protocol = recognize.Unknown
	if conn, err := pm.dial(ctx); err == nil {
		first, _ := readBanner(ctx, conn)
		b.protocol, _ = recognize.FromServer(first)
		conn.Close()
	}
	if ctx.Err() == nil { // else nothing was found out: the client was cut while the device was asked
		b.asked = time.Now()
	}
	return b.protocol
}
