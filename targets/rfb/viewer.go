package rfb

import (
	"context"
	"encoding/binary"
	"errors"
	"image"
	"net"
	"slices"
	"sync"
	"time"
)

// viewer is one connection after its handshake.
type viewer struct {
	conn        net.Conn
	framebuffer *Framebuffer
	damage      *damage
	cursor      *Cursor              // nil: none to show
	asked       chan struct{}        // has a token after each request, and whenever there is something to send
	made        map[Encoding]encoder // the encoders in use; only for sendUpdates
	out         []byte               // only for sendUpdates

	mu       sync.Mutex // guards what follows: what the viewer wants
	pixels   *pixels
	colorMap bool // to be sent before the next update
	encoding Encoding
	pending  image.Rectangle // asked for and not answered; empty: nothing
	pseudo   pseudo
	cutText  []byte // to be sent, in Latin-1; nil: none
}

// pseudo is what the viewer takes besides pixels, and what of that is to be sent with the next update.
type pseudo struct {
	cursor, desktopSize, extendedSize bool

	cursorDue bool
	sizeDue   bool // although it has not changed
	refusals  int  // of SetDesktopSize, to be answered
}

// maxRefusals that may wait: a viewer that does not read its answers gets no more of them.
const maxRefusals = 8

// errCannotResize ends a viewer whose screen would be of the wrong size.
var errCannotResize = errors.New("the screen changed its size, and the viewer takes neither DesktopSize nor ExtendedDesktopSize")

func newViewer(conn net.Conn, f *Framebuffer, cursor *Cursor) *viewer {
	return &viewer{
		conn: conn, framebuffer: f, cursor: cursor,
		asked: make(chan struct{}, 1), made: make(map[Encoding]encoder), pixels: newPixels(nativeFormat),
	}
}

func (v *viewer) setPixelFormat(f PixelFormat) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pixels, v.colorMap = newPixels(f), !f.TrueColor
	v.pseudo.cursorDue = v.pseudo.cursor // the cursor has pixels too
}

func (v *viewer) setEncodings(e []Encoding) {
	v.damage.takeMoves(slices.Contains(e, EncodingCopyRect))
	v.mu.Lock()
	defer v.mu.Unlock()
	v.encoding = preferred(e)
	p := &v.pseudo
	hadExtended := p.extendedSize
	p.cursor = v.cursor != nil && slices.Contains(e, EncodingCursor)
	p.desktopSize = slices.Contains(e, EncodingDesktopSize)
	p.extendedSize = slices.Contains(e, EncodingExtendedDesktopSize)
	p.cursorDue = p.cursor
	p.sizeDue = p.extendedSize && !hadExtended
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
	v.pseudo.sizeDue = v.pseudo.sizeDue || v.pseudo.extendedSize && !m.incremental // rfbproto demands it
	v.mu.Unlock()
	v.wake()
}

// refuseResize answers a SetDesktopSize: the size is the server's.
func (v *viewer) refuseResize() {
	v.mu.Lock()
	v.pseudo.refusals = min(v.pseudo.refusals+1, maxRefusals)
	v.mu.Unlock()
	v.wake()
}

// cut gives the viewer a text, instead of one that it has not got yet.
func (v *viewer) cut(latin1 []byte) {
	v.mu.Lock()
	v.cutText = latin1
	v.mu.Unlock()
	v.wake()
}

func (v *viewer) wake() {
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
		if err := v.sendCutText(); err != nil {
			return err
		}
		if err := v.sendUpdate(); err != nil {
			return err
		}
	}
}

func (v *viewer) sendCutText() error {
	v.mu.Lock()
	text := v.cutText
	v.cutText = nil
	v.mu.Unlock()
	if text == nil {
		return nil
	}
	return v.write(appendCutText(nil, text))
}

func (v *viewer) sendUpdate() error {
	v.mu.Lock()
	n := v.damage.news(v.pending)
	p, colorMap, encoding, told := v.pixels, v.colorMap, v.encoding, v.pseudo
	if n.empty() && !(told.due() && !v.pending.Empty()) {
		v.mu.Unlock()
		return nil
	}
	v.pending, v.colorMap = image.Rectangle{}, false
	v.pseudo.cursorDue, v.pseudo.sizeDue, v.pseudo.refusals = false, false, 0
	v.mu.Unlock()

	var head [][]byte // the rectangles before those of pixels
	size := n.img.Bounds().Size()
	for range told.refusals {
		head = append(head, appendExtendedSize(nil, size, resizeByThisViewer, resizeProhibited))
	}
	switch {
	case told.extendedSize && (n.resized || told.sizeDue):
		head = append(head, appendExtendedSize(nil, size, resizeByServer, resizeDone))
	case n.resized && told.desktopSize:
		head = append(head, appendDesktopSize(nil, size))
	case n.resized:
		return errCannotResize
	}
	if told.cursorDue && !n.resized { // a DesktopSize is the last rectangle (section 7.8.2)
		head = append(head, v.cursor.append(nil, p))
	}
	if !n.move.to.Empty() {
		head = append(head, appendCopyRect(nil, n.move))
	}
	return v.writeUpdate(n, head, p, colorMap, encoding)
}

func (p *pseudo) due() bool { return p.cursorDue || p.sizeDue || p.refusals > 0 }

func (v *viewer) writeUpdate(n news, head [][]byte, p *pixels, colorMap bool, encoding Encoding) error {
	if v.made[encoding] == nil {
		v.made[encoding] = encoders[encoding]()
	}
	out := v.out[:0]
	if colorMap {
		out = appendColorMap(out)
	}
	rects := bands(n.rects)
	out = append(out, msgFramebufferUpdate, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(len(head)+len(rects)))
	for _, b := range head {
		out = append(out, b...)
	}
	for i, r := range rects {
		out = appendRectangleHeader(out, r, encoding)
		// What Draw changes between two bands is damage again, and is sent again with the next update.
		v.framebuffer.reading(func() {
			out = v.made[encoding].appendRect(out, n.img, r, p)
			if i == len(rects)-1 {
				v.damage.allRead()
			}
		})
		if len(out) >= maxBand {
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
