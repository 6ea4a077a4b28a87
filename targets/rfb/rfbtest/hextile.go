package rfbtest

import (
	"errors"
	"fmt"
	"image"
	"image/color"
)

// hextile is section 7.7.4.
func (v *Viewer) hextile(r image.Rectangle) error {
	size := v.format.Bits / 8
	pixel := func() (color.RGBA, error) {
		b, err := v.take(size)
		return v.format.color(b), err
	}
	var background, foreground color.RGBA
	var backgroundKnown, foregroundKnown bool
	for y := r.Min.Y; y < r.Max.Y; y += 16 {
		for x := r.Min.X; x < r.Max.X; x += 16 {
			tile := image.Rect(x, y, x+16, y+16).Intersect(r)
			mask, err := v.r.ReadByte()
			if err != nil {
				return err
			}
			if mask&1 != 0 {
				if err := v.raw(v.r, v.Screen, tile); err != nil {
					return err
				}
				backgroundKnown, foregroundKnown = false, false
				continue
			}
			if mask&2 != 0 {
				if background, err = pixel(); err != nil {
					return err
				}
				backgroundKnown = true
			}
			if !backgroundKnown {
				return errors.New("hextile: no background")
			}
			fill(v.Screen, tile, background)
			if mask&4 != 0 {
				if foreground, err = pixel(); err != nil {
					return err
				}
				foregroundKnown = true
			}
			if mask&8 == 0 {
				continue
			}
			if mask&16 != 0 {
				foregroundKnown = false
			} else if !foregroundKnown {
				return errors.New("hextile: no foreground")
			}
			n, err := v.r.ReadByte()
			if err != nil {
				return err
			}
			for range n {
				c := foreground
				if mask&16 != 0 {
					if c, err = pixel(); err != nil {
						return err
					}
				}
				b, err := v.take(2)
				if err != nil {
					return err
				}
				at := tile.Min.Add(image.Pt(int(b[0]>>4), int(b[0]&15)))
				sub := image.Rectangle{at, at.Add(image.Pt(int(b[1]>>4)+1, int(b[1]&15)+1))}
				if !sub.In(tile) {
					return fmt.Errorf("hextile: subrectangle %v outside of %v", sub, tile)
				}
				fill(v.Screen, sub, c)
			}
		}
	}
	return nil
}
