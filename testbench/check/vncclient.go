package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"net"
	"sync"

	"github.com/mitchellh/go-vnc"
)

// VNCClient is a VNC session with the screen that it saw. Close it.
type VNCClient struct {
	conn     *vnc.ClientConn
	guard    *rfbGuard
	raw      net.Conn
	messages chan vnc.ServerMessage
	pumped   chan struct{} // closed when pump has ended

	write sync.Mutex // held for a whole message: the library writes it in pieces

	mu      sync.Mutex
	screen  *image.RGBA   // guarded by mu
	missing int           // guarded by mu: pixels not painted yet; alpha says which
	changed chan struct{} // guarded by mu: closed at the next update
}

// DialVNC connects, logs in and takes the first full screen. The session ends with ctx.
func DialVNC(ctx context.Context, dial Dial, o VNCOptions) (*VNCClient, error) {
	raw, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	raw = bindConn(ctx, raw)
	c := &VNCClient{raw: raw, guard: newRFBGuard(raw), messages: make(chan vnc.ServerMessage), pumped: make(chan struct{}), changed: make(chan struct{})}
	auth := []vnc.ClientAuth{new(vnc.ClientAuthNone)}
	if o.Password != "" {
		auth = []vnc.ClientAuth{&vnc.PasswordAuth{Password: o.Password}}
	}
	if c.conn, err = vnc.Client(c.guard, &vnc.ClientConfig{Auth: auth, ServerMessageCh: c.messages}); err != nil {
		if why := c.guard.Err(); why != nil {
			err = why
		}
		return nil, fmt.Errorf("logging in: %w", err)
	}
	width, height := int(c.conn.FrameBufferWidth), int(c.conn.FrameBufferHeight)
	c.screen, c.missing = image.NewRGBA(image.Rect(0, 0, width, height)), width*height
	go c.pump()
	if err := c.begin(); err != nil {
		c.Close()
		return nil, err
	}
	if _, err := c.await(ctx, func() bool { return c.missing == 0 }); err != nil {
		c.Close()
		return nil, fmt.Errorf("waiting for the first screen: %w", err)
	}
	return c, nil
}

// setEncodings offers Raw alone, section 7.5.2. The library's own SetEncodings writes what its reading goroutine reads; Raw it always knows.
var setEncodings = []byte{2, 0, 0, 1, 0, 0, 0, 0}

func (c *VNCClient) begin() error {
	return c.send(func() error {
		if _, err := c.guard.Write(setEncodings); err != nil {
			return err
		}
		return c.conn.FramebufferUpdateRequest(false, 0, 0, c.conn.FrameBufferWidth, c.conn.FrameBufferHeight)
	})
}

func (c *VNCClient) send(fn func() error) error {
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.guard.together(fn); err != nil {
		return fmt.Errorf("sending to the VNC server: %w", err)
	}
	return nil
}

// pump takes every message, so that the library's goroutine never blocks on its channel, and ends after that goroutine.
func (c *VNCClient) pump() {
	defer close(c.pumped)
	for {
		select {
		case m := <-c.messages:
			update, ok := m.(*vnc.FramebufferUpdateMessage)
			if !ok {
				continue
			}
			incremental := c.apply(update)
			c.send(func() error { // a failure ends reading too
				return c.conn.FramebufferUpdateRequest(incremental, 0, 0, c.conn.FrameBufferWidth, c.conn.FrameBufferHeight)
			})
		case <-c.guard.done:
			return
		}
	}
}

// apply paints and tells whether the whole screen is known.
func (c *VNCClient) apply(update *vnc.FramebufferUpdateMessage) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rect := range update.Rectangles {
		raw, ok := rect.Enc.(*vnc.RawEncoding)
		if !ok {
			continue
		}
		for i, pixel := range raw.Colors {
			x, y := int(rect.X)+i%int(rect.Width), int(rect.Y)+i/int(rect.Width)
			if c.screen.Pix[c.screen.PixOffset(x, y)+3] == 0 {
				c.missing--
			}
			c.screen.SetRGBA(x, y, toRGBA(pixel, &c.conn.PixelFormat))
		}
	}
	close(c.changed)
	c.changed = make(chan struct{})
	return c.missing == 0
}

// toRGBA scales: the library leaves true colour in the server's own range, and a colour map has 16 bits.
func toRGBA(c vnc.Color, f *vnc.PixelFormat) color.RGBA {
	if !f.TrueColor {
		return color.RGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), 255}
	}
	scale := func(v, most uint16) uint8 { return uint8(uint32(v) * 255 / uint32(max(most, 1))) }
	return color.RGBA{scale(c.R, f.RedMax), scale(c.G, f.GreenMax), scale(c.B, f.BlueMax), 255}
}

// Name is the desktop's.
func (c *VNCClient) Name() string { return c.conn.DesktopName }

// Bounds is the screen's size.
func (c *VNCClient) Bounds() image.Rectangle { return c.screen.Rect }

// Screen is a copy of the last screen.
func (c *VNCClient) Screen() *image.RGBA {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.copyLocked()
}

func (c *VNCClient) copyLocked() *image.RGBA {
	return &image.RGBA{Pix: bytes.Clone(c.screen.Pix), Stride: c.screen.Stride, Rect: c.screen.Rect}
}

// AwaitChange waits until the screen differs from before and gives the new one.
func (c *VNCClient) AwaitChange(ctx context.Context, before *image.RGBA) (*image.RGBA, error) {
	return c.await(ctx, func() bool { return !bytes.Equal(before.Pix, c.screen.Pix) })
}

// Await waits until the screen is as ok wants it and gives it. ok must not keep what it is shown.
func (c *VNCClient) Await(ctx context.Context, ok func(screen *image.RGBA) bool) (*image.RGBA, error) {
	return c.await(ctx, func() bool { return ok(c.screen) })
}

// await calls ok under the lock.
func (c *VNCClient) await(ctx context.Context, ok func() bool) (*image.RGBA, error) {
	for {
		c.mu.Lock()
		if ok() {
			defer c.mu.Unlock()
			return c.copyLocked(), nil
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-c.pumped:
			return nil, errors.Join(errors.New("the session ended"), c.guard.Err())
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Type sends each rune as key down and key up; "\n" is Return, "\t" Tab, "\b" BackSpace.
func (c *VNCClient) Type(ctx context.Context, text string) error {
	for _, r := range text {
		if err := ctx.Err(); err != nil {
			return err
		}
		key := keysym(r)
		err := c.send(func() error {
			if err := c.conn.KeyEvent(key, true); err != nil {
				return err
			}
			return c.conn.KeyEvent(key, false)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keysym is X11's number of a key, RFC 6143 section 7.5.4: Latin-1 stands for itself, other letters are 0x01000000 and their code point.
func keysym(r rune) uint32 {
	switch r {
	case '\n', '\r':
		return 0xff0d
	case '\t':
		return 0xff09
	case '\b':
		return 0xff08
	case 0x1b:
		return 0xff1b
	}
	if r < 0x100 {
		return uint32(r)
	}
	return 0x01000000 + uint32(r)
}

// Close ends the session and waits for its goroutines.
func (c *VNCClient) Close() error {
	err := c.raw.Close() // not the library's Close: that it is called tells that its goroutine has ended
	<-c.pumped
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func colors(screen *image.RGBA) int {
	seen := make(map[[4]byte]bool)
	for i := 0; i+4 <= len(screen.Pix); i += 4 {
		seen[[4]byte(screen.Pix[i:])] = true
	}
	return len(seen)
}
