package panel

import "image"

// buttonFace draws one of buttons.
type buttonFace struct {
	fonts   *fonts
	index   int
	started bool
	label   string
	lit     bool
	pressed bool
}

func (b *buttonFace) draw(c *canvas, s *state) {
	spec := buttons[b.index]
	label, lit, pressed := spec.label(&s.values), spec.lit != nil && spec.lit(&s.values), s.pressed == b.index
	if b.started && label == b.label && lit == b.lit && pressed == b.pressed {
		return
	}
	b.started, b.label, b.lit, b.pressed = true, label, lit, pressed
	edge, face := colorSteel, mix(colorCard, colorSteel, 0.35)
	if pressed {
		edge, face = colorAccent, mix(colorCard, colorAccent, 0.25)
	}
	middle := spec.area.Min.Y + spec.area.Dy()/2
	if spec.lit == nil {
		c.rect(spec.area, colorCard)
		c.roundRect(spec.area, 5, edge)
		c.roundRect(spec.area.Inset(1), 4, face)
		x := spec.area.Min.X + (spec.area.Dx()-textWidth(b.fonts.small, label))/2
		c.text(b.fonts.small, image.Pt(x, middle+5), colorText, label)
		return
	}
	c.rect(spec.area, colorBackground)
	c.roundRect(spec.area, 8, edge)
	c.roundRect(spec.area.Inset(1), 7, face)
	c.circle(image.Pt(spec.area.Min.X+26, middle), 9, colorWell)
	c.circle(image.Pt(spec.area.Min.X+26, middle), 7, lampColor(lit))
	c.text(b.fonts.label, image.Pt(spec.area.Min.X+48, middle+5), colorText, label)
}

// message is the line under the buttons: why one was refused, or how the pump is run.
type message struct {
	fonts *fonts
	area  image.Rectangle
	shown string
}

func newMessage(f *fonts) *message {
	return &message{fonts: f, area: image.Rect(404, 436, 776, 458)}
}

func (m *message) draw(c *canvas, s *state) {
	text, ink := "the pump is run by hand", colorMuted
	switch {
	case s.message != "":
		text, ink = s.message, colorRed
	case s.values.HighLevel:
		text, ink = "high level: the pump has tripped", colorAmber
	case s.values.LowLevel:
		text, ink = "low level", colorAmber
	case s.values.Automatic:
		text = "the controller holds the level at the amber mark"
	}
	if text == m.shown {
		return
	}
	m.shown = text
	c.rect(m.area, colorBackground)
	c.text(m.fonts.small, m.area.Min.Add(image.Pt(2, 15)), ink, text)
}
