package rfb

import (
	"encoding/binary"
	"fmt"
	"image"
)

// Reasons and results of ExtendedDesktopSize.
const (
	resizeByServer     = 0
	resizeByThisViewer = 1

	resizeDone       = 0
	resizeProhibited = 1
)

// appendDesktopSize is the rectangle of section 7.8.2.
func appendDesktopSize(dst []byte, size image.Point) []byte {
	return appendRectangleHeader(dst, image.Rectangle{Max: size}, EncodingDesktopSize)
}

// appendExtendedSize is rfbproto's: reason and result stand where a place would, and then comes the one screen.
func appendExtendedSize(dst []byte, size image.Point, reason, result int) []byte {
	at := image.Pt(reason, result)
	dst = appendRectangleHeader(dst, image.Rectangle{at, at.Add(size)}, EncodingExtendedDesktopSize)
	dst = append(dst, 1, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, 0) // id
	dst = binary.BigEndian.AppendUint32(dst, 0) // at 0, 0
	dst = binary.BigEndian.AppendUint16(dst, uint16(size.X))
	dst = binary.BigEndian.AppendUint16(dst, uint16(size.Y))
	return binary.BigEndian.AppendUint32(dst, 0) // flags
}

// appendCopyRect is section 7.7.2.
func appendCopyRect(dst []byte, m move) []byte {
	dst = appendRectangleHeader(dst, m.to, EncodingCopyRect)
	dst = binary.BigEndian.AppendUint16(dst, uint16(m.from.X))
	return binary.BigEndian.AppendUint16(dst, uint16(m.from.Y))
}

// appendCutText is ServerCutText (section 7.6.4).
func appendCutText(dst, latin1 []byte) []byte {
	dst = append(dst, msgServerCutText, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(latin1)))
	return append(dst, latin1...)
}

// toLatin1 gives what a cut text may hold; other characters become question marks.
func toLatin1(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return out[:min(len(out), maxCutText)]
}

// Cursor is the shape of the pointer on viewers that draw it themselves (section 7.8.1).
type Cursor struct {
	Image   *image.RGBA // begins at 0, 0; half transparent pixels and more count as drawn
	Hotspot image.Point // the pixel that points
}

const maxCursorSide = 64

func (c *Cursor) check() error {
	b := c.Image.Bounds()
	if b.Min != (image.Point{}) || b.Dx() > maxCursorSide || b.Dy() > maxCursorSide || !c.Hotspot.In(b) {
		return fmt.Errorf("the cursor of %v with its hotspot at %v: it begins at (0,0), has at most %d pixels a side and its hotspot inside", b, c.Hotspot, maxCursorSide)
	}
	return nil
}

// append is the rectangle: the pixels, and a bit for each that is drawn, rows padded to whole bytes.
func (c *Cursor) append(dst []byte, p *pixels) []byte {
	size := c.Image.Bounds()
	dst = appendRectangleHeader(dst, size.Add(c.Hotspot), EncodingCursor)
	dst = p.pixel.appendRect(dst, c.Image, size)
	for y := range size.Dy() {
		row := make([]byte, (size.Dx()+7)/8)
		for x := range size.Dx() {
			if c.Image.RGBAAt(x, y).A >= 0x80 {
				row[x/8] |= 0x80 >> (x % 8)
			}
		}
		dst = append(dst, row...)
	}
	return dst
}
