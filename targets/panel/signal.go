package panel

import (
	"image"
)

// Signal is what the device's modem receives.
type Signal struct {
	Bars int    // 0 to MaxBars
	Text string // such as "-97 dBm"; "": not known
}

// MaxBars of a Signal.
const MaxBars = 4

// Where the bars stand in the title bar: left of the clock.
const (
	barWidth   = 5
	barPitch   = 8
	barStep    = 5 // by which each is taller than the one before
	barsBottom = 35
)

// reception is the bars that everybody knows from a telephone, and the figure beside them.
type reception struct {
	at     image.Point // bottom left
	figure *cells
	shown  int // bars and 1; 0: nothing yet
}

func newReception(f *fonts, right int) *reception {
	const columns = 8
	figure := newCells(f.clock, image.Point{}, columns, 1, colorBar)
	figure.at = image.Pt(right-columns*figure.width, 16)
	return &reception{at: image.Pt(figure.at.X-MaxBars*barPitch-6, barsBottom), figure: figure}
}

func (r *reception) draw(c *canvas, s *state) {
	if s.signal == nil {
		return
	}
	text, bars := s.signal.Text, min(max(s.signal.Bars, 0), MaxBars)
	if text == "" {
		text, bars = "--", 0
	}
	r.figure.show(c, colorMuted, []rune(text))
	if r.shown == bars+1 {
		return
	}
	r.shown = bars + 1
	ink := colorGreen
	if bars <= 1 {
		ink = colorAmber
	}
	for i := range MaxBars {
		fill := mix(colorBar, colorSteel, 0.45)
		if i < bars {
			fill = ink
		}
		x := r.at.X + i*barPitch
		c.rect(image.Rect(x, r.at.Y-(i+1)*barStep, x+barWidth, r.at.Y), fill)
	}
}
