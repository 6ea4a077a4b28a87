package panel

import (
	"image"
	"image/color"
	"math"

	"minato/targets/plc"
)

// plot is the inside of the trend card.
var plot = image.Rect(trendCard.Min.X+40, trendCard.Min.Y+40, trendCard.Max.X-16, trendCard.Max.Y-16)

const (
	secondWidth = 2  // pixels
	sweepGap    = 12 // pixels that are kept free ahead of the newest value
)

// plotSeconds is how much time the plot shows.
var plotSeconds = min(plot.Dx()/secondWidth, plc.HistoryLength)

// trend is a curve of the level that is written over from left to right, as on a heart monitor: a curve that moves would change
// every pixel every second.
type trend struct {
	started bool
	seconds int // drawn so far
	last    uint16
}

func newTrend() *trend { return &trend{} }

func (t *trend) draw(c *canvas, s *state) {
	if !t.started {
		c.rect(plot, colorWell)
		t.grid(c, plot)
	}
	first := s.seconds - len(s.history)
	for second := max(t.seconds, first, s.seconds-plotSeconds); second < s.seconds; second++ {
		level := s.history[second-first]
		t.column(c, second, level)
		t.last = level
	}
	t.started, t.seconds = true, s.seconds
}

// column draws the line from the second before to this one, and clears the way ahead.
func (t *trend) column(c *canvas, second int, level uint16) {
	x := plot.Min.X + second%plotSeconds*secondWidth
	t.clear(c, image.Rect(x+1, plot.Min.Y, x+1+sweepGap, plot.Max.Y).Intersect(plot))
	if x == plot.Min.X {
		t.clear(c, image.Rect(x, plot.Min.Y, x+sweepGap, plot.Max.Y))
		t.last = level
	}
	if !t.started && t.last == 0 {
		t.last = level
	}
	const half = 1.0 // of the line's width
	from := point{max(float64(x-secondWidth), float64(plot.Min.X)), plotY(t.last)}
	to := point{float64(x) + 0.5, plotY(level)}
	c.polygon(colorAccent, point{from.x, from.y - half}, point{to.x, to.y - half}, point{to.x, to.y + half}, point{from.x, from.y + half})
}

func plotY(tenths uint16) float64 {
	inside := plot.Inset(3)
	return math.Round(float64(inside.Max.Y) - float64(tenths)/1000*float64(inside.Dy()))
}

func (t *trend) clear(c *canvas, r image.Rectangle) {
	c.rect(r, colorWell)
	t.grid(c, r)
}

// grid is the lines at each quarter within r.
func (t *trend) grid(c *canvas, r image.Rectangle) {
	for tenths := uint16(0); tenths <= 1000; tenths += 250 {
		y := int(plotY(tenths))
		c.rect(image.Rect(r.Min.X, y, r.Max.X, y+1), gridColor)
	}
}

var gridColor = mix(colorWell, colorSteel, 0.35)

func drawTrendBackground(c *canvas, f *fonts) {
	c.card(trendCard)
	c.text(f.small, trendCard.Min.Add(image.Pt(16, 26)), colorMuted, "Level, %")
	c.roundRect(plot.Inset(-3), 4, colorWell)
	for _, label := range []struct {
		text   string
		tenths uint16
	}{{"100", 1000}, {"50", 500}, {"0", 0}} {
		width := textWidth(f.small, label.text)
		c.text(f.small, image.Pt(plot.Min.X-10-width, int(plotY(label.tenths))+5), colorSteel, label.text)
	}
	legend := "the last two and a half minutes"
	c.text(f.small, image.Pt(plot.Max.X-textWidth(f.small, legend), trendCard.Min.Y+26), color.RGBA(colorSteel), legend)
}
