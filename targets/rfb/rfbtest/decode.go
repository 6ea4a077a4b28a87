package rfbtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
)

func (v *Viewer) update() ([]Rect, error) {
	b, err := v.take(3)
	if err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(b[1:]))
	var out []Rect
	for range n {
		b, err := v.take(12)
		if err != nil {
			return out, err
		}
		at := func(i int) int { return int(binary.BigEndian.Uint16(b[i:])) }
		r := Rect{image.Rect(at(0), at(2), at(0)+at(4), at(2)+at(6)), int(int32(binary.BigEndian.Uint32(b[8:])))}
		if r.Encoding == LastRect {
			break
		}
		if err := v.rect(r); err != nil {
			return out, fmt.Errorf("rectangle %v in encoding %d: %w", r.Rectangle, r.Encoding, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func (v *Viewer) rect(r Rect) error {
	if r.Encoding >= 0 && !r.In(v.Screen.Bounds()) {
		return errors.New("outside of the screen")
	}
	switch r.Encoding {
	case Raw:
		return v.raw(v.r, v.Screen, r.Rectangle)
	case CopyRect:
		return v.copyRect(r.Rectangle)
	case Hextile:
		return v.hextile(r.Rectangle)
	case Tight:
		return v.tight(r.Rectangle)
	case ZRLE:
		return v.zrle(r.Rectangle)
	case DesktopSize:
		v.resize(r.Size())
		return nil
	case ExtendedDesktopSize:
		head, err := v.take(4)
		if err != nil {
			return err
		}
		v.Size = r.Rectangle
		if r.Min.Y == 0 {
			v.resize(r.Size())
		}
		_, err = v.take(16 * int(head[0]))
		return err
	case Cursor:
		return v.cursor(r.Rectangle)
	}
	return errors.New("not asked for")
}

func (v *Viewer) resize(size image.Point) {
	if size == v.Screen.Bounds().Size() {
		return
	}
	old := v.Screen
	v.Screen = image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(v.Screen, v.Screen.Bounds(), old, image.Point{}, draw.Src)
}

// raw is section 7.7.1.
func (v *Viewer) raw(in io.Reader, img *image.RGBA, r image.Rectangle) error {
	size := v.format.Bits / 8
	row := make([]byte, r.Dx()*size)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		if _, err := io.ReadFull(in, row); err != nil {
			return err
		}
		for x := range r.Dx() {
			img.SetRGBA(r.Min.X+x, y, v.format.color(row[x*size:][:size]))
		}
	}
	return nil
}

// copyRect is section 7.7.2.
func (v *Viewer) copyRect(r image.Rectangle) error {
	b, err := v.take(4)
	if err != nil {
		return err
	}
	from := image.Pt(int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:])))
	source := image.Rectangle{from, from.Add(r.Size())}
	if !source.In(v.Screen.Bounds()) {
		return fmt.Errorf("from %v, outside of the screen", source)
	}
	before := image.NewRGBA(source)
	draw.Draw(before, source, v.Screen, from, draw.Src)
	draw.Draw(v.Screen, r, before, from, draw.Src)
	return nil
}

// cursor is section 7.8.1.
func (v *Viewer) cursor(r image.Rectangle) error {
	v.Hot = r.Min
	v.Cursor = image.NewRGBA(image.Rectangle{Max: r.Size()})
	if err := v.raw(v.r, v.Cursor, v.Cursor.Bounds()); err != nil {
		return err
	}
	stride := (r.Dx() + 7) / 8
	mask, err := v.take(stride * r.Dy())
	if err != nil {
		return err
	}
	for y := range r.Dy() {
		for x := range r.Dx() {
			if mask[y*stride+x/8]&(0x80>>(x%8)) == 0 {
				v.Cursor.SetRGBA(x, y, color.RGBA{})
			}
		}
	}
	return nil
}

func fill(img *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}
