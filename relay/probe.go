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
	probeDial    = 5 * time.Second  // for the dial before: the client's entry in the log waits for it
	probeAge     = 10 * time.Minute // a device is asked at most this often for what it says by itself to a silent client
	probeFailure = 10 * time.Second // the same where it could not be asked, which may be over soon, and where it hangs up on a ClientHello
)

// greeting is what a device did by itself when it was connected to.
type greeting struct {
	unreached error // it was not connected to; nil: it was, and one of what follows is known
	hungUp    bool  // it closed the connection without a byte
	spoke     bool  // it spoke first
	protocol  recognize.Protocol
}

// greetingOf makes sense of what readBanner answers.
func greetingOf(b []byte, err error) greeting {
	g := greeting{hungUp: err != nil && len(b) == 0, spoke: len(b) > 0}
	g.protocol, _ = recognize.FromServer(b)
	return g
}

// waits tells that the device's service runs and takes connections: it speaks first, or leaves a silent client alone.
func (g greeting) waits() bool { return g.unreached == nil && !g.hungUp }

// banner is what a mapping's device says by itself. It is asked for when a client is silent on TLS: what the client waits for tells the cure
// (cause R06); and when the device hangs up on a ClientHello without a byte: a TLS server would answer with an alert (RFC 8446 section 6.2), but a
// service that does so to whoever connects has other troubles (R17, not R07). Such clients may be many, so the answer is kept, and the device's
// radio has peace.
type banner struct {
	mu    sync.Mutex // held while the device is asked: others wait for the same answer
	asked time.Time  // guarded by mu: when the answer was had
	until time.Time  // guarded by mu: how long it is good
	known greeting   // guarded by mu
}

// keepLocked remembers an answer.
func (b *banner) keepLocked(g greeting) {
	age := probeAge
	if g.unreached != nil || g.hungUp {
		age = probeFailure
	}
	b.known, b.asked = g, time.Now()
	b.until = b.asked.Add(age)
}

// learn remembers what somebody else has heard of the device. Where it is being asked at this moment that answer is as good.
func (b *banner) learn(g greeting) {
	if b.mu.TryLock() {
		b.keepLocked(g)
		b.mu.Unlock()
	}
}

// refuseSilence ends a silent client's connection, then finds out what it was waiting for.
func (c *connection) refuseSilence(ctx context.Context) {
	if h, ok := c.client.(halfCloser); ok {
		h.CloseWrite() // the client need not wait for the probe; if this fails it has gone
	}
	switch g := c.mapping.greeting(ctx, probeAge); {
	case ctx.Err() != nil:
	case g.unreached != nil:
		c.entry.End = say(wordUnreachable, g.unreached, string(causeOfDial(g.unreached)))
	case g.hungUp:
		c.entry.End = say(wordDeviceHangsUp)
	case !g.spoke:
		c.entry.End = say(wordDeviceSilent)
	case g.protocol == recognize.Unknown:
		c.entry.End = say(wordDeviceUnknown)
	default:
		c.entry.Device = g.protocol.String()
		c.entry.End = say(wordDeviceFirst, g.protocol, g.protocol.Words())
	}
	c.refuse(store.Denied, CauseSilentOnTLS)
}

// greeting tells what the device does by itself, as of now or of at most age ago.
func (pm *portMapping) greeting(ctx context.Context, age time.Duration) greeting {
	b := &pm.deviceBanner
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); now.Before(b.until) && now.Sub(b.asked) < age {
		return b.known
	}
	g := pm.askGreeting(ctx)
	if ctx.Err() == nil { // else the client was cut while the device was asked
		b.keepLocked(g)
	}
	return g
}

// askGreeting connects to the device and waits for what it says.
func (pm *portMapping) askGreeting(ctx context.Context) greeting {
	dial, cancel := context.WithTimeout(ctx, probeDial)
	defer cancel()
	conn, err := pm.dial(dial)
	if err != nil {
		return greeting{unreached: err}
	}
	defer conn.Close()
	g := greetingOf(readBanner(ctx, conn))
	if err := ctx.Err(); err != nil { // it was not listened to for long enough
		return greeting{unreached: err}
	}
	return g
}
