package panel

import (
	"fmt"
	"image"
)

func drawTankBackground(c *canvas, f *fonts) {
	c.card(tankCard)
	c.text(f.small, tankCard.Min.Add(image.Pt(16, 26)), colorMuted, "Tank, 120 l")

	for _, y := range []int{pumpAt.Y, valveAt.Y} { // pipes
		c.rect(image.Rect(tankWall.Max.X-4, y-6, tankCard.Max.X-1, y+6), colorSteel)
		c.rect(image.Rect(tankWall.Max.X-4, y-6, tankCard.Max.X-1, y-3), mix(colorSteel, colorText, 0.3))
	}
	c.roundRect(tankWall, tankRadius, colorSteel)
	c.roundRect(tankInside, tankRadius-wallThickness, colorWell)

	drawTicks(c)
	for percent := 0; percent <= 100; percent += 25 {
		label := fmt.Sprint(percent)
		c.text(f.small, image.Pt(tankWall.Min.X-18-textWidth(f.small, label), levelY(float64(percent))+5), colorMuted, label)
	}
	c.text(f.small, pumpAt.Add(image.Pt(-textWidth(f.small, "Pump")/2, 38)), colorMuted, "Pump")
	c.text(f.small, valveAt.Add(image.Pt(-textWidth(f.small, "Valve")/2, 34)), colorMuted, "Valve")
}

// drawTicks is the scale at the wall, every 5 %.
func drawTicks(c *canvas) {
	for percent := 0; percent <= 100; percent += 5 {
		length := 4
		if percent%25 == 0 {
			length = 9
		}
		y := levelY(float64(percent))
		c.rect(image.Rect(tankWall.Min.X-3-length, y, tankWall.Min.X-3, y+1), colorSteel)
	}
}

// drawPump is the sign of a centrifugal pump: a circle, and a triangle in the direction of the flow, to the left.
func drawPump(c *canvas, on bool) {
	x, y := float64(pumpAt.X), float64(pumpAt.Y)
	c.circle(pumpAt, lampRadius+3, colorCard)
	c.circle(pumpAt, lampRadius+1, colorSteel)
	c.circle(pumpAt, lampRadius-1, lampColor(on))
	c.polygon(colorWell, point{x - 12, y}, point{x + 7, y - 11}, point{x + 7, y + 11})
}

// drawValve is the sign of a valve: two triangles, point to point.
func drawValve(c *canvas, open bool) {
	x, y := float64(valveAt.X), float64(valveAt.Y)
	c.rect(image.Rect(valveAt.X-24, valveAt.Y-18, valveAt.X+24, valveAt.Y+18), colorCard)
	for _, side := range []float64{-1, 1} {
		c.polygon(colorSteel, point{x, y}, point{x + side*23, y - 16}, point{x + side*23, y + 16})
		c.polygon(lampColor(open), point{x + side*4, y}, point{x + side*20, y - 11}, point{x + side*20, y + 11})
	}
}
