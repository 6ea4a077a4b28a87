package panel

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
)

// The tank drawing. Inside the wall, level 0 to 100 % is tankInside from bottom to top.
var (
	tankWall   = image.Rect(84, 112, 276, 432)
	tankInside = tankWall.Inset(wallThickness)
	pumpAt     = image.Pt(332, 168)
	valveAt    = image.Pt(332, 392)
)

const (
	tankRadius    = 22
	wallThickness = 5
	lampRadius    = 20
)

// tank shows level, setpoint, pump and valve. The water's colour depends on the height only, so a moving level changes but the
// rows that it passed.
type tank struct {
	started  bool
	surface  int // y of the water's top row
	setpoint int // y
	pump     bool
	valve    bool
	opening  *cells

	empty, water, bright *image.RGBA
}

func newTank(f *fonts) *tank {
	return &tank{opening: newCells(f.clock, image.Pt(valveAt.X-28, valveAt.Y+38), 5, 1, colorCard)}
}

func levelY(percent float64) int {
	return tankInside.Max.Y - int(math.Round(percent/100*float64(tankInside.Dy())))
}

func (t *tank) draw(c *canvas, s *state) {
	v := &s.values
	if !t.started {
		t.pour(c.img)
	}
	if surface := levelY(v.Level); !t.started {
		t.rows(c, surface, tankInside.Min.Y, tankInside.Max.Y)
		t.surface = surface
	} else if surface != t.surface {
		t.rows(c, surface, min(surface, t.surface), max(surface, t.surface)+surfaceHeight)
		t.surface = surface
	}
	if y := levelY(v.Setpoint); !t.started || y != t.setpoint {
		t.mark(c, t.setpoint, colorCard)
		t.mark(c, y, colorAmber)
		t.setpoint = y
	}
	if on := v.Inflow > 0; !t.started || on != t.pump {
		drawPump(c, on)
		t.pump = on
	}
	if open := v.Valve > 0; !t.started || open != t.valve {
		drawValve(c, open)
		t.valve = open
	}
	t.opening.show(c, colorText, []rune(fmt.Sprintf("%3.0f %%", v.Valve)))
	t.started = true
}

// surfaceHeight is how many rows of the water's top are bright.
const surfaceHeight = 3

var (
	waterTop    = color.RGBA{0x3f, 0xa9, 0xec, 0xff}
	waterBottom = color.RGBA{0x12, 0x4f, 0x95, 0xff}
)

// pour makes the pictures of the inside that rows copies from: empty as the background left it, full, and full of surface.
func (t *tank) pour(background *image.RGBA) {
	copyInside := func() *image.RGBA {
		out := image.NewRGBA(tankInside)
		draw.Draw(out, tankInside, background, tankInside.Min, draw.Src)
		return out
	}
	t.empty, t.water, t.bright = copyInside(), copyInside(), copyInside()
	water, bright := image.NewRGBA(tankInside), image.NewRGBA(tankInside)
	for y := tankInside.Min.Y; y < tankInside.Max.Y; y++ {
		fill := mix(waterTop, waterBottom, float64(y-tankInside.Min.Y)/float64(tankInside.Dy()))
		row := image.Rect(tankInside.Min.X, y, tankInside.Max.X, y+1)
		draw.Draw(water, row, image.NewUniform(fill), image.Point{}, draw.Src)
		draw.Draw(bright, row, image.NewUniform(mix(fill, colorText, 0.45)), image.Point{}, draw.Src)
	}
	shape := roundRectPoints(tankInside, tankRadius-wallThickness)
	(&canvas{img: t.water, changed: func(image.Rectangle) {}}).polygonOf(water, shape...)
	(&canvas{img: t.bright, changed: func(image.Rectangle) {}}).polygonOf(bright, shape...)
}

// rows paints from top to bottom what belongs there with the water's top at surface.
func (t *tank) rows(c *canvas, surface, top, bottom int) {
	part := func(from *image.RGBA, top, bottom int) {
		if top >= bottom {
			return
		}
		r := image.Rect(tankInside.Min.X, top, tankInside.Max.X, bottom).Intersect(tankInside)
		draw.Draw(c.img, r, from, r.Min, draw.Src)
	}
	part(t.empty, top, min(bottom, surface))
	part(t.bright, max(top, surface), min(bottom, surface+surfaceHeight))
	part(t.water, max(top, surface+surfaceHeight), bottom)
	c.changed(image.Rect(tankInside.Min.X, top, tankInside.Max.X, bottom).Intersect(tankInside))
}

// mark is the triangle of the setpoint at the wall.
func (t *tank) mark(c *canvas, y int, fill color.RGBA) {
	if y == 0 {
		return
	}
	x := float64(tankWall.Min.X) - 2
	if fill == colorCard { // painting over a smooth edge leaves a shadow; a rectangle does not
		c.rect(image.Rect(int(x)-12, y-7, int(x)+1, y+7), fill)
		drawTicks(c)
		return
	}
	c.polygon(fill, point{x, float64(y)}, point{x - 11, float64(y) - 6}, point{x - 11, float64(y) + 6})
}
