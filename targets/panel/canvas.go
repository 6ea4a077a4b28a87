package panel

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// canvas is the screen while it is drawn on.
type canvas struct {
	img     *image.RGBA
	changed func(image.Rectangle)
	moved   func(to image.Rectangle, from image.Point)
}

// The panel's colours.
var (
	colorBackground = color.RGBA{0x0e, 0x15, 0x1d, 0xff}
	colorBar        = color.RGBA{0x13, 0x1e, 0x2a, 0xff}
	colorCard       = color.RGBA{0x17, 0x23, 0x30, 0xff}
	colorEdge       = color.RGBA{0x27, 0x39, 0x4c, 0xff}
	colorWell       = color.RGBA{0x0b, 0x12, 0x19, 0xff} // behind water, curve and text
	colorSteel      = color.RGBA{0x5b, 0x70, 0x84, 0xff}
	colorText       = color.RGBA{0xe8, 0xee, 0xf4, 0xff}
	colorMuted      = color.RGBA{0x8b, 0xa1, 0xb6, 0xff}
	colorAccent     = color.RGBA{0x4f, 0xb4, 0xf2, 0xff}
	colorGreen      = color.RGBA{0x45, 0xc4, 0x6b, 0xff}
	colorAmber      = color.RGBA{0xf0, 0xb4, 0x4a, 0xff}
	colorRed        = color.RGBA{0xf2, 0x6b, 0x5e, 0xff}
)

func (c *canvas) rect(r image.Rectangle, fill color.RGBA) {
	draw.Draw(c.img, r, image.NewUniform(fill), image.Point{}, draw.Src)
	c.changed(r)
}

// point of a polygon, with fractions of a pixel.
type point struct{ x, y float64 }

// polygon fills smoothly.
func (c *canvas) polygon(fill color.RGBA, points ...point) {
	c.polygonOf(image.NewUniform(fill), points...)
}

// polygonOf shows the part of an image, in the canvas's own coordinates, that the polygon cuts out.
func (c *canvas) polygonOf(src image.Image, points ...point) {
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, p := range points {
		left, right = min(left, p.x), max(right, p.x)
		top, bottom = min(top, p.y), max(bottom, p.y)
	}
	area := image.Rect(int(math.Floor(left)), int(math.Floor(top)), int(math.Ceil(right)), int(math.Ceil(bottom)))
	z := vector.NewRasterizer(area.Dx(), area.Dy())
	for i, p := range points {
		x, y := float32(p.x-float64(area.Min.X)), float32(p.y-float64(area.Min.Y))
		if i == 0 {
			z.MoveTo(x, y)
		} else {
			z.LineTo(x, y)
		}
	}
	z.ClosePath()
	z.Draw(c.img, area, src, area.Min)
	c.changed(area)
}

// roundRect fills a rectangle with rounded corners.
func (c *canvas) roundRect(r image.Rectangle, radius float64, fill color.RGBA) {
	c.polygon(fill, roundRectPoints(r, radius)...)
}

func roundRectPoints(r image.Rectangle, radius float64) []point {
	const perCorner = 12
	var points []point
	corners := []point{
		{float64(r.Max.X) - radius, float64(r.Max.Y) - radius}, {float64(r.Min.X) + radius, float64(r.Max.Y) - radius},
		{float64(r.Min.X) + radius, float64(r.Min.Y) + radius}, {float64(r.Max.X) - radius, float64(r.Min.Y) + radius},
	}
	for i, at := range corners {
		for step := range perCorner + 1 {
			angle := (float64(i) + float64(step)/perCorner) * math.Pi / 2
			points = append(points, point{at.x + radius*math.Cos(angle), at.y + radius*math.Sin(angle)})
		}
	}
	return points
}

func (c *canvas) circle(at image.Point, radius int, fill color.RGBA) {
	c.roundRect(image.Rect(at.X-radius, at.Y-radius, at.X+radius, at.Y+radius), float64(radius), fill)
}

// card is the raised ground of a group of widgets.
func (c *canvas) card(r image.Rectangle) {
	c.roundRect(r, 8, colorEdge)
	c.roundRect(r.Inset(1), 7, colorCard)
}

// mix gives a share of 0 to 1 of b in a.
func mix(a, b color.RGBA, share float64) color.RGBA {
	blend := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*share)) }
	return color.RGBA{blend(a.R, b.R), blend(a.G, b.G), blend(a.B, b.B), 0xff}
}
