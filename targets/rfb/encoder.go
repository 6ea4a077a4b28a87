package rfb

import (
	"encoding/binary"
	"image"
)

// encoder appends the body of one rectangle, after its header. One is made per viewer and encoding, so that it may keep the
// state of a stream. A rectangle that it is given is one of bands.
type encoder interface {
	appendRect(dst []byte, img *image.RGBA, r image.Rectangle, p *pixels) []byte
}

// encoders is every encoding of pixels that this server has.
var encoders = map[Encoding]func() encoder{
	EncodingRaw:     func() encoder { return raw{} },
	EncodingHextile: func() encoder { return new(hextile) },
	EncodingZRLE:    func() encoder { return new(zrle) },
	EncodingTight:   func() encoder { return new(tight) },
}

// Bounds of one rectangle: they are what a viewer's buffer grows to, and how long Draw may wait.
const (
	maxBand      = 64 << 10 // pixels
	maxBandWidth = 2048     // Tight allows no more
)

// raw is section 7.7.1.
type raw struct{}

func (raw) appendRect(dst []byte, img *image.RGBA, r image.Rectangle, p *pixels) []byte {
	return p.pixel.appendRect(dst, img, r)
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

// bands cuts rectangles into ones of at most maxBand pixels, by whole tiles of ZRLE where that is possible.
func bands(rects []image.Rectangle) []image.Rectangle {
	var out []image.Rectangle
	for _, r := range rects {
		for x := r.Min.X; x < r.Max.X; x += maxBandWidth {
			part := image.Rect(x, r.Min.Y, min(x+maxBandWidth, r.Max.X), r.Max.Y)
			rows := maxBand / part.Dx()
			if rows > zrleTile {
				rows -= rows % zrleTile
			}
			for y := part.Min.Y; y < part.Max.Y; y += rows {
				out = append(out, image.Rect(part.Min.X, y, part.Max.X, min(y+rows, part.Max.Y)))
			}
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
