package panel

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// fonts of one panel; a face is for one goroutine.
type fonts struct {
	small, label, title       font.Face // proportional
	figure, clock, typewriter font.Face // of one width
}

func loadFonts() (*fonts, error) {
	var f fonts
	for _, want := range []struct {
		face *font.Face
		ttf  []byte
		size float64
	}{
		{&f.small, goregular.TTF, 13}, {&f.label, gobold.TTF, 15}, {&f.title, gobold.TTF, 22},
		{&f.figure, gomono.TTF, 30}, {&f.clock, gomono.TTF, 18}, {&f.typewriter, gomono.TTF, 18},
	} {
		parsed, err := opentype.Parse(want.ttf)
		if err != nil {
			return nil, err
		}
		*want.face, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: want.size, DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			return nil, err
		}
	}
	return &f, nil
}

// text writes with the baseline at at, and gives the x where it ended.
func (c *canvas) text(face font.Face, at image.Point, ink color.RGBA, s string) int {
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(ink), Face: face, Dot: fixed.P(at.X, at.Y)}
	d.DrawString(s)
	m := face.Metrics()
	c.changed(image.Rect(at.X, at.Y-m.Ascent.Ceil(), d.Dot.X.Ceil(), at.Y+m.Descent.Ceil()))
	return d.Dot.X.Ceil()
}

func textWidth(face font.Face, s string) int { return font.MeasureString(face, s).Ceil() }

// cells is a grid of characters of one width on a plain ground. Only the cells that changed are drawn.
type cells struct {
	face          font.Face
	at            image.Point // top left
	columns, rows int
	width, height int
	ground, ink   color.RGBA
	shown         []rune
	shownInk      color.RGBA
}

func newCells(face font.Face, at image.Point, columns, rows int, ground color.RGBA) *cells {
	m := face.Metrics()
	advance, _ := face.GlyphAdvance('0')
	return &cells{
		face: face, at: at, columns: columns, rows: rows,
		width: advance.Ceil(), height: m.Ascent.Ceil() + m.Descent.Ceil(),
		ground: ground, ink: colorText, shown: make([]rune, columns*rows),
	}
}

// scroll moves what is shown up by a row where content goes on like that, but for a cursor, so that viewers need little but the new row.
func (g *cells) scroll(c *canvas, ink color.RGBA, content []rune) {
	kept := len(g.shown) - g.columns
	const cursor = 1
	if len(content) != len(g.shown) || ink != g.shownInk ||
		unlike(g.shown[g.columns:], content[:kept]) > cursor || unlike(g.shown[:kept], content[:kept]) <= cursor {
		return
	}
	to := image.Rect(0, 0, g.columns*g.width, (g.rows-1)*g.height).Add(g.at)
	from := to.Min.Add(image.Pt(0, g.height))
	draw.Draw(c.img, to, c.img, from, draw.Src)
	c.moved(to, from)
	copy(g.shown, g.shown[g.columns:])
}

// unlike is in how many places two texts of one length differ.
func unlike(a, b []rune) (n int) {
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// show fills the grid from the top left; what is beyond its end is left out.
func (g *cells) show(c *canvas, ink color.RGBA, content []rune) {
	for i := range g.shown {
		r := ' '
		if i < len(content) {
			r = content[i]
		}
		if g.shown[i] == r && g.shownInk == ink {
			continue
		}
		g.shown[i] = r
		cell := image.Rect(0, 0, g.width, g.height).Add(g.at).Add(image.Pt(i%g.columns*g.width, i/g.columns*g.height))
		c.rect(cell, g.ground)
		d := font.Drawer{Dst: c.img.SubImage(cell).(*image.RGBA), Src: image.NewUniform(ink), Face: g.face}
		d.Dot = fixed.P(cell.Min.X, cell.Min.Y+g.face.Metrics().Ascent.Ceil())
		d.DrawString(string(r))
	}
	g.shownInk = ink
}
