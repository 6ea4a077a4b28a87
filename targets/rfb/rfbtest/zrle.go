package rfbtest

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"io"
)

// zrle is section 7.7.6.
func (v *Viewer) zrle(r image.Rectangle) error {
	head, err := v.take(4)
	if err != nil {
		return err
	}
	packed, err := v.take(int(binary.BigEndian.Uint32(head)))
	if err != nil {
		return err
	}
	in, err := v.zlib[0].part(packed)
	if err != nil {
		return err
	}
	z := zrleReader{in: in, format: &v.format, size: v.format.cpixelSize()}
	for y := r.Min.Y; y < r.Max.Y; y += 64 {
		for x := r.Min.X; x < r.Max.X; x += 64 {
			tile := image.Rect(x, y, x+64, y+64).Intersect(r)
			pixels, err := z.tile(tile.Dx(), tile.Dy())
			if err != nil {
				return fmt.Errorf("tile %v: %w", tile, err)
			}
			for i, c := range pixels {
				v.Screen.SetRGBA(tile.Min.X+i%tile.Dx(), tile.Min.Y+i/tile.Dx(), c)
			}
		}
	}
	return nil
}

type zrleReader struct {
	in     io.Reader
	format *Format
	size   int
}

func (z *zrleReader) octet() (int, error) {
	var b [1]byte
	_, err := io.ReadFull(z.in, b[:])
	return int(b[0]), err
}

func (z *zrleReader) pixels(n int) ([]color.RGBA, error) {
	b := make([]byte, n*z.size)
	_, err := io.ReadFull(z.in, b)
	out := make([]color.RGBA, n)
	for i := range out {
		out[i] = z.format.cpixel(b[i*z.size:][:z.size])
	}
	return out, err
}

func (z *zrleReader) runLength() (int, error) {
	for n := 1; ; {
		b, err := z.octet()
		n += b
		if err != nil || b != 255 {
			return n, err
		}
	}
}

func (z *zrleReader) tile(w, h int) ([]color.RGBA, error) {
	form, err := z.octet()
	if err != nil {
		return nil, err
	}
	var out []color.RGBA
	repeat := func(c color.RGBA, n int) {
		for range n {
			out = append(out, c)
		}
	}
	switch {
	case form == 0:
		return z.pixels(w * h)
	case form == 1:
		c, err := z.pixels(1)
		repeat(c[0], w*h)
		return out, err
	case form <= 16:
		palette, err := z.pixels(form)
		if err != nil {
			return nil, err
		}
		bits := 4
		if form <= 4 {
			bits = 2
		}
		if form == 2 {
			bits = 1
		}
		row := make([]byte, (w*bits+7)/8)
		for range h {
			if _, err := io.ReadFull(z.in, row); err != nil {
				return nil, err
			}
			for x := range w {
				index := int(row[x*bits/8]) >> (8 - bits - x*bits%8) & (1<<bits - 1)
				if index >= form {
					return nil, fmt.Errorf("index %d into %d colours", index, form)
				}
				out = append(out, palette[index])
			}
		}
		return out, nil
	case form == 128:
		for len(out) < w*h {
			c, err := z.pixels(1)
			if err != nil {
				return nil, err
			}
			n, err := z.runLength()
			if err != nil {
				return nil, err
			}
			repeat(c[0], n)
		}
	case form >= 130:
		palette, err := z.pixels(form - 128)
		if err != nil {
			return nil, err
		}
		for len(out) < w*h {
			index, err := z.octet()
			if err != nil {
				return nil, err
			}
			n := 1
			if index >= 128 {
				index -= 128
				if n, err = z.runLength(); err != nil {
					return nil, err
				}
			}
			if index >= len(palette) {
				return nil, fmt.Errorf("index %d into %d colours", index, len(palette))
			}
			repeat(palette[index], n)
		}
	default:
		return nil, fmt.Errorf("unused subencoding %d", form)
	}
	if len(out) > w*h {
		return nil, fmt.Errorf("runs of %d pixels in a tile of %d", len(out), w*h)
	}
	return out, nil
}
