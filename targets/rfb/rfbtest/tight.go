package rfbtest

import (
	"fmt"
	"image"
	"io"
)

// tight is rfbproto's "Tight Encoding", but JPEG and the gradient filter.
func (v *Viewer) tight(r image.Rectangle) error {
	control, err := v.r.ReadByte()
	if err != nil {
		return err
	}
	for i := range 4 {
		if control>>i&1 == 1 {
			v.zlib[1+i] = inflater{}
		}
	}
	size := v.format.tpixelSize()
	control >>= 4
	if control == 8 {
		b, err := v.take(size)
		if err != nil {
			return err
		}
		fill(v.Screen, r, v.format.tpixel(b))
		return nil
	}
	if control > 8 {
		return fmt.Errorf("tight: compression control %#x", control)
	}
	filter := byte(0)
	if control&4 != 0 {
		if filter, err = v.r.ReadByte(); err != nil {
			return err
		}
	}
	stream := &v.zlib[1+int(control&3)]
	switch filter {
	case 0:
		b, err := v.tightData(stream, r.Dx()*r.Dy()*size)
		if err != nil {
			return err
		}
		for i := range r.Dx() * r.Dy() {
			v.Screen.SetRGBA(r.Min.X+i%r.Dx(), r.Min.Y+i/r.Dx(), v.format.tpixel(b[i*size:][:size]))
		}
		return nil
	case 1:
		return v.tightPalette(stream, r, size)
	}
	return fmt.Errorf("tight: filter %d", filter)
}

func (v *Viewer) tightPalette(stream *inflater, r image.Rectangle, size int) error {
	n, err := v.r.ReadByte()
	if err != nil {
		return err
	}
	colors := int(n) + 1
	if colors < 2 {
		return fmt.Errorf("tight: a palette of %d", colors)
	}
	palette, err := v.take(colors * size)
	if err != nil {
		return err
	}
	stride, bits := r.Dx(), 8
	if colors == 2 {
		stride, bits = (r.Dx()+7)/8, 1
	}
	b, err := v.tightData(stream, stride*r.Dy())
	if err != nil {
		return err
	}
	for y := range r.Dy() {
		for x := range r.Dx() {
			index := int(b[y*stride+x*bits/8]) >> (8 - bits - x*bits%8) & (1<<bits - 1)
			if index >= colors {
				return fmt.Errorf("tight: index %d into %d colours", index, colors)
			}
			v.Screen.SetRGBA(r.Min.X+x, r.Min.Y+y, v.format.tpixel(palette[index*size:][:size]))
		}
	}
	return nil
}

func (v *Viewer) tightData(stream *inflater, n int) ([]byte, error) {
	if n < 12 {
		return v.take(n)
	}
	length := 0
	for i := range 3 {
		b, err := v.r.ReadByte()
		if err != nil {
			return nil, err
		}
		if i == 2 {
			length |= int(b) << 14
			break
		}
		length |= int(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			break
		}
	}
	packed, err := v.take(length)
	if err != nil {
		return nil, err
	}
	in, err := stream.part(packed)
	if err != nil {
		return nil, err
	}
	out := make([]byte, n)
	_, err = io.ReadFull(in, out)
	return out, err
}
