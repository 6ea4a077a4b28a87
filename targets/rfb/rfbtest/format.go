package rfbtest

import (
	"encoding/binary"
	"image/color"
)

// Format is a PIXEL_FORMAT of section 7.4; without Max it is one of a colour map.
type Format struct {
	Bits, Depth int
	BigEndian   bool
	Max         [3]uint16 // red, green, blue
	Shift       [3]uint8

	colors [256]color.RGBA
}

// RGB888 is what most viewers use.
var RGB888 = Format{Bits: 32, Depth: 24, Max: [3]uint16{255, 255, 255}, Shift: [3]uint8{16, 8, 0}}

func (f *Format) trueColor() bool { return f.Max != [3]uint16{} }

func (f *Format) bytes() []byte {
	b := []byte{byte(f.Bits), byte(f.Depth), 0, 0}
	if f.BigEndian {
		b[2] = 1
	}
	if f.trueColor() {
		b[3] = 1
	}
	for _, m := range f.Max {
		b = binary.BigEndian.AppendUint16(b, m)
	}
	return append(b, f.Shift[0], f.Shift[1], f.Shift[2], 0, 0, 0)
}

// color of a PIXEL.
func (f *Format) color(b []byte) color.RGBA {
	var v uint32
	for i := range b {
		if f.BigEndian {
			v = v<<8 | uint32(b[i])
		} else {
			v |= uint32(b[i]) << (8 * i)
		}
	}
	return f.colorOf(v)
}

func (f *Format) colorOf(v uint32) color.RGBA {
	if !f.trueColor() {
		return f.colors[v&0xff]
	}
	var c [3]uint8
	for i := range c {
		most := uint32(f.Max[i])
		c[i] = uint8((v>>f.Shift[i]&most*255 + most/2) / most)
	}
	return color.RGBA{c[0], c[1], c[2], 0xff}
}

// cpixel is how many bytes a CPIXEL of section 7.7.5 has.
func (f *Format) cpixelSize() int {
	if low, high := f.fits(); low || high {
		return 3
	}
	return f.Bits / 8
}

// fits tells whether the colours lie within the three least or the three most significant bytes of a pixel that may be shortened.
func (f *Format) fits() (low, high bool) {
	if !f.trueColor() || f.Bits != 32 || f.Depth > 24 {
		return false, false
	}
	var used uint32
	for i := range f.Max {
		used |= uint32(f.Max[i]) << f.Shift[i]
	}
	return used>>24 == 0, used&0xff == 0
}

func (f *Format) cpixel(b []byte) color.RGBA {
	low, high := f.fits()
	switch {
	case len(b) != 3:
		return f.color(b)
	case low && f.BigEndian && !high:
		return f.color([]byte{0, b[0], b[1], b[2]})
	case low && !f.BigEndian, high && f.BigEndian:
		return f.color([]byte{b[0], b[1], b[2], 0})
	}
	return f.color([]byte{0, b[0], b[1], b[2]}) // the most significant three of little-endian
}

// tpixelSize is that of Tight's TPIXEL.
func (f *Format) tpixelSize() int {
	if f.Bits == 32 && f.Depth == 24 && f.Max == [3]uint16{255, 255, 255} {
		return 3
	}
	return f.Bits / 8
}

func (f *Format) tpixel(b []byte) color.RGBA {
	if f.tpixelSize() == 3 {
		return color.RGBA{b[0], b[1], b[2], 0xff}
	}
	return f.color(b)
}
