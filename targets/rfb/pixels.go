package rfb

import (
	"encoding/binary"
	"image"
	"math/bits"
)

// pixels is how a viewer wants its colours: as PIXEL of its PixelFormat, and as the shorter forms of that which some encodings use.
type pixels struct {
	pixel translation
	// cpixel is CPIXEL of section 7.7.5: without the byte that carries no colour.
	cpixel translation
	// tpixel is TPIXEL of Tight: red, green and blue, a byte each, where the format has 8 bits of each.
	tpixel translation
}

// translation of RGBA into values of size bytes, whose little-endian bytes are what goes on the wire. A table per channel holds the
// channel's bits where they belong, already swapped for big-endian viewers: swapping goes through OR.
type translation struct {
	size             int // bytes of a value
	red, green, blue [256]uint32
}

func newPixels(f PixelFormat) *pixels {
	p := &pixels{pixel: newTranslation(f)}
	p.cpixel, p.tpixel = p.pixel, p.pixel
	if !f.TrueColor || f.BitsPerPixel != 32 || f.Depth > 24 {
		return p
	}
	t := &p.pixel
	used := t.red[255] | t.green[255] | t.blue[255]
	switch {
	case used>>24 == 0:
		p.cpixel.size = 3
	case used&0xff == 0:
		p.cpixel = t.shifted(8)
		p.cpixel.size = 3
	}
	if f.Depth == 24 && f.RedMax == 255 && f.GreenMax == 255 && f.BlueMax == 255 {
		p.tpixel = newTranslation(PixelFormat{BitsPerPixel: 32, TrueColor: true, RedMax: 255, GreenMax: 255, BlueMax: 255, GreenShift: 8, BlueShift: 16})
		p.tpixel.size = 3
	}
	return p
}

func newTranslation(f PixelFormat) translation {
	colors := f
	if !f.TrueColor {
		colors = colorMapFormat
	}
	place := func(intensity int, most uint16, shift uint8) uint32 {
		v := uint32((intensity*int(most)+127)/255) << shift
		if f.BigEndian {
			v = bits.ReverseBytes32(v) >> (32 - f.BitsPerPixel)
		}
		return v
	}
	t := translation{size: int(f.BitsPerPixel) / 8}
	for i := range 256 {
		t.red[i] = place(i, colors.RedMax, colors.RedShift)
		t.green[i] = place(i, colors.GreenMax, colors.GreenShift)
		t.blue[i] = place(i, colors.BlueMax, colors.BlueShift)
	}
	return t
}

// shifted leaves the lowest bits of each value out.
func (t translation) shifted(bits uint) translation {
	for i := range 256 {
		t.red[i], t.green[i], t.blue[i] = t.red[i]>>bits, t.green[i]>>bits, t.blue[i]>>bits
	}
	return t
}

// load gives the values of r row by row, left to right, top to bottom, in dst's memory where it is enough.
func (t *translation) load(dst []uint32, img *image.RGBA, r image.Rectangle) []uint32 {
	dst = dst[:0]
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Pix[img.PixOffset(r.Min.X, y):][:4*r.Dx()]
		for ; len(row) >= 4; row = row[4:] {
			dst = append(dst, t.red[row[0]]|t.green[row[1]]|t.blue[row[2]])
		}
	}
	return dst
}

// append appends one value.
func (t *translation) append(dst []byte, v uint32) []byte {
	switch t.size {
	case 1:
		return append(dst, byte(v))
	case 2:
		return binary.LittleEndian.AppendUint16(dst, uint16(v))
	case 3:
		return append(dst, byte(v), byte(v>>8), byte(v>>16))
	}
	return binary.LittleEndian.AppendUint32(dst, v)
}

func (t *translation) appendAll(dst []byte, values []uint32) []byte {
	for _, v := range values {
		dst = t.append(dst, v)
	}
	return dst
}

// appendRect appends the pixels of r; it is loop by loop what load and appendAll do, without the memory between them.
func (t *translation) appendRect(dst []byte, img *image.RGBA, r image.Rectangle) []byte {
	n := len(dst)
	dst = append(dst, make([]byte, r.Dx()*r.Dy()*t.size)...)
	out := dst[n:]
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Pix[img.PixOffset(r.Min.X, y):][:4*r.Dx()]
		switch t.size {
		case 4:
			for ; len(row) >= 4; row, out = row[4:], out[4:] {
				binary.LittleEndian.PutUint32(out, t.red[row[0]]|t.green[row[1]]|t.blue[row[2]])
			}
		case 2:
			for ; len(row) >= 4; row, out = row[4:], out[2:] {
				binary.LittleEndian.PutUint16(out, uint16(t.red[row[0]]|t.green[row[1]]|t.blue[row[2]]))
			}
		default:
			for ; len(row) >= 4; row, out = row[4:], out[1:] {
				out[0] = byte(t.red[row[0]] | t.green[row[1]] | t.blue[row[2]])
			}
		}
	}
	return dst
}
