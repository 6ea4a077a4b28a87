package rfb

import (
	"context"
	"encoding/binary"
	"image"
	"net"
	"sync"
	"time"
)

// viewer is one connection after its handshake.
type viewer struct {
	conn        net.Conn
	framebuffer *Framebuffer
	damage      *damage
	asked       chan struct{}        // has a token after each request
	made        map[Encoding]encoder // the encoders in use; only for sendUpdates
	out         []byte               // only for sendUpdates

	mu       sync.Mutex // guards what follows: what the viewer wants
	pixels   *pixels
	colorMap bool // to be sent before the next update
	encoding Encoding
	pending  image.Rectangle // asked for and not answered; empty: nothing
}

func newViewer(conn net.Conn, f *Framebuffer) *viewer {
	return &viewer{
		conn: conn, framebuffer: f,
		asked: make(chan struct{}, 1), made: make(map[Encoding]encoder), pixels: newPixels(nativeFormat),
	}
}

func (v *viewer) setPixelFormat(f PixelFormat) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pixels, v.colorMap = newPixels(f), !f.TrueColor
}

func (v *viewer) setEncodings(e []Encoding) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.encoding = preferred(e)
}

// request: several requests may be answered by one update (section 7.5.3), so they add up.
func (v *viewer) request(m updateRequest) {
	region := m.region.Intersect(v.framebuffer.Bounds())
	if region.Empty() {
		return
	}
	if !m.incremental {
		v.damage.add(region)
	}
	v.mu.Lock()
	v.pending = v.pending.Union(region)
	v.mu.Unlock()
	select {
	case v.asked <- struct{}{}:
	default:
	}
}

// sendUpdates answers each request as soon as there is damage in its region. It ends with ctx or when the connection fails.
func (v *viewer) sendUpdates(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.asked:
		case <-v.damage.changed:
		}
		if err := v.sendUpdate(); err != nil {
			return err
		}
	}
}

func (v *viewer) sendUpdate() error {
	v.mu.Lock()
	rects := v.damage.take(v.pending)
	if len(rects) == 0 {
		v.mu.Unlock()
		return nil
	}
	v.pending = image.Rectangle{}
	p, colorMap, encoding := v.pixels, v.colorMap, v.encoding
	v.colorMap = false
	v.mu.Unlock()

	if v.made[encoding] == nil {
		v.made[encoding] = encoders[encoding]()
	}
	out := v.out[:0]
	if colorMap {
		out = appendColorMap(out)
	}
	rects = bands(rects, p.size)
	out = append(out, msgFramebufferUpdate, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(len(rects)))
	for _, r := range rects {
		out = appendRectangleHeader(out, r, encoding)
		// What Draw changes between two bands is damage again, and is sent again with the next update.
		v.framebuffer.encode(func(img *image.RGBA) { out = v.made[encoding].appendRect(out, img, r, p) })
		if len(out) >= maxBand/2 {
			if err := v.write(out); err != nil {
				return err
			}
			out = out[:0]
		}
	}
	v.out = out
	return v.write(out)
}

func (v *viewer) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	v.conn.SetWriteDeadline(time.Now().Add(bandTimeout))
	_, err := v.conn.Write(b)
	return err
}
