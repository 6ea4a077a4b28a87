package panel

import (
	"fmt"
	"image"
	"image/color"
	"time"

	"minato/targets/plc"
)

// Where the cards are.
var (
	titleBar   = image.Rect(0, 0, Width, 52)
	tankCard   = image.Rect(24, 72, 388, 456)
	figureCard = image.Rect(404, 72, 520, 164) // the first of three
	trendCard  = image.Rect(404, 176, 776, 372)
)

// EntryArea shows what is typed. Nothing else changes it.
var EntryArea = image.Rect(24, 472, 776, 580)

const figurePitch = 128

// figures are the live numbers.
var figures = []struct {
	label string
	value func(v *plc.Values) float64
	alarm func(v *plc.Values) bool
}{
	{"Level, %", func(v *plc.Values) float64 { return v.Level }, func(v *plc.Values) bool { return v.HighLevel || v.LowLevel }},
	{"Water, °C", func(v *plc.Values) float64 { return v.Temperature }, func(*plc.Values) bool { return false }},
	{"Inflow, l/s", func(v *plc.Values) float64 { return v.Inflow }, func(*plc.Values) bool { return false }},
}

// layout makes every widget.
func layout(f *fonts) []widget {
	clock := newCells(f.clock, image.Point{}, len(time.DateTime), 1, colorBar)
	clock.at = image.Pt(titleBar.Max.X-24-clock.columns*clock.width, 16)
	widgets := []widget{
		widgetFunc(func(c *canvas, s *state) { clock.show(c, colorMuted, []rune(s.clock.Format(time.DateTime))) }),
		newReception(f, clock.at.X-24),
		newTank(f),
		newTrend(),
		newEntry(f),
		newMessage(f),
	}
	for i, figure := range figures {
		grid := newCells(f.figure, figureCard.Min.Add(image.Pt(13+i*figurePitch, 40)), 5, 1, colorCard)
		widgets = append(widgets, widgetFunc(func(c *canvas, s *state) {
			ink := colorText
			if figure.alarm(&s.values) {
				ink = colorAmber
			}
			grid.show(c, ink, []rune(fmt.Sprintf("%5.1f", figure.value(&s.values))))
		}))
	}
	for i := range buttons {
		widgets = append(widgets, &buttonFace{index: i, fonts: f})
	}
	return widgets
}

// widgetFunc is a widget whose memory is in what it draws with.
type widgetFunc func(c *canvas, s *state)

func (w widgetFunc) draw(c *canvas, s *state) { w(c, s) }

// drawBackground is all that never changes.
func drawBackground(c *canvas, f *fonts, name string) {
	c.rect(image.Rect(0, 0, Width, Height), colorBackground)
	c.rect(titleBar, colorBar)
	c.rect(image.Rect(0, titleBar.Max.Y-2, Width, titleBar.Max.Y), colorEdge)
	c.rect(image.Rect(0, titleBar.Max.Y-2, 24, titleBar.Max.Y), colorAccent)
	end := c.text(f.title, image.Pt(24, 34), colorText, fitted(f, name))
	c.text(f.small, image.Pt(end+12, 33), colorMuted, "simulated plant")

	for i, figure := range figures {
		card := figureCard.Add(image.Pt(i*figurePitch, 0))
		if i == len(figures)-1 {
			card.Max.X = trendCard.Max.X
		}
		c.card(card)
		c.text(f.small, card.Min.Add(image.Pt(16, 26)), colorMuted, figure.label)
	}
	drawTankBackground(c, f)
	drawTrendBackground(c, f)
	c.card(EntryArea)
	end = c.text(f.small, EntryArea.Min.Add(image.Pt(16, 22)), colorMuted, "Keyboard")
	c.text(f.small, image.Pt(end+12, EntryArea.Min.Y+22), colorSteel, "type here  ·  Backspace deletes  ·  Esc clears")
}

// fitted cuts a long device name before the clock.
func fitted(f *fonts, name string) string {
	const most = 230
	r := []rune(name)
	if textWidth(f.title, name) <= most {
		return name
	}
	for len(r) > 0 && textWidth(f.title, string(r)+"…") > most {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// lampColor is that of a signal lamp.
func lampColor(lit bool) color.RGBA {
	if lit {
		return colorGreen
	}
	return mix(colorCard, colorSteel, 0.45)
}
