package panel

import (
	"image"
	"image/color"

	"minato/targets/rfb"
)

// Cursor is the arrow of the pointer, for viewers that draw it themselves.
func Cursor() *rfb.Cursor {
	const size = 18
	c := &canvas{img: image.NewRGBA(image.Rect(0, 0, size, size)), changed: func(image.Rectangle) {}}
	arrow := func(fill color.RGBA, inset float64) {
		c.polygon(fill, point{inset, 2.4 * inset}, point{inset, 15 - 1.6*inset}, point{4.2, 11.2 - inset*0.4}, point{11.5 - 2*inset, 11.2 - inset})
	}
	arrow(colorText, 0)
	arrow(colorWell, 1)
	return &rfb.Cursor{Image: c.img}
}
