package rfb

import (
	"encoding/binary"
	"image"
)

// encoder appends the body of one rectangle, after its header. One is made per viewer and encoding, so that it may keep the
// state of a stream. A rectangle that it is given has at most maxBand bytes as Raw.
type encoder interface {
	appendRect(dst []byte, img *image.RGBA, r image.Rectangle, p *pixels) []byte
}

// encoders is every encoding that this server has.
var encoders = map[Encoding]func() encoder{
	EncodingRaw: func() encoder { return raw{} },
}

// maxBand is the most pixel data, as Raw, of one rectangle: what a viewer's buffer grows to, and how long Draw may wait.
const maxBand = 128 << 10

// raw is section 7.7.1.
type raw struct{}

func (raw) appendRect(dst []byte, img *image.RGBA, r image.Rectangle, p *pixels) []byte {
	return p.appendRect(dst, img, r)
}

// preferred is the first of the viewer's encodings, which come most wanted first, that this server has.
func preferred(encodings []Encoding) Encoding {
	for _, e := range encodings {
		if encoders[e] != nil {
			return e
		}
	}
	return EncodingRaw
}

// bands cuts rectangles into ones of at most maxBand bytes.
func bands(rects []image.Rectangle, pixelSize int) []image.Rectangle {
	var out []image.Rectangle
	for _, r := range rects {
		rows := max(1, maxBand/(r.Dx()*pixelSize))
		for y := r.Min.Y; y < r.Max.Y; y += rows {
			out = append(out, image.Rect(r.Min.X, y, r.Max.X, min(y+rows, r.Max.Y)))
		}
	}
	return out
}

func appendRectangleHeader(dst []byte, r image.Rectangle, e Encoding) []byte {
	for _, v := range []int{r.Min.X, r.Min.Y, r.Dx(), r.Dy()} {
		dst = binary.BigEndian.AppendUint16(dst, uint16(v))
	}
	return binary.BigEndian.AppendUint32(dst, uint32(e))
}
