package rfb

import (
	"image"
	"slices"
)

// Numbers of section 7.7.4.
const (
	hextileTile = 16

	hextileRaw        = 1
	hextileBackground = 2
	hextileForeground = 4
	hextileSubrects   = 8
	hextileColored    = 16
)

// hextile is section 7.7.4: tiles of 16 pixels, each a background with rectangles on it, or raw where that is shorter.
type hextile struct {
	values []uint32
	tile   []byte
	rects  []coloredRect
}

// coloredRect is a part of a tile, in the tile's own coordinates.
type coloredRect struct {
	color      uint32
	x, y, w, h int
}

func (h *hextile) appendRect(dst []byte, img *image.RGBA, r image.Rectangle, p *pixels) []byte {
	t := &p.pixel
	var ground uint32 // of the tile before
	known := false    // not in the first tile, and not after a raw one
	for y := r.Min.Y; y < r.Max.Y; y += hextileTile {
		for x := r.Min.X; x < r.Max.X; x += hextileTile {
			tile := image.Rect(x, y, x+hextileTile, y+hextileTile).Intersect(r)
			h.values = t.load(h.values, img, tile)
			background := mostFrequent(h.values)
			h.cover(background, tile.Dx())
			h.tile = h.appendTile(h.tile[:0], t, background, !known || background != ground)
			if len(h.tile) > len(h.values)*t.size {
				dst = t.appendAll(append(dst, hextileRaw), h.values)
				known = false
				continue
			}
			dst = append(dst, h.tile...)
			ground, known = background, true
		}
	}
	return dst
}

func (h *hextile) appendTile(dst []byte, t *translation, background uint32, tell bool) []byte {
	dst = append(dst, 0)
	if tell {
		dst[0] = hextileBackground
		dst = t.append(dst, background)
	}
	if len(h.rects) == 0 {
		return dst
	}
	foreground := h.rects[0].color
	colored := slices.ContainsFunc(h.rects, func(r coloredRect) bool { return r.color != foreground })
	dst[0] |= hextileSubrects
	if colored {
		dst[0] |= hextileColored
	} else { // told each time: it is not carried over from a tile that is raw or coloured
		dst[0] |= hextileForeground
		dst = t.append(dst, foreground)
	}
	dst = append(dst, byte(len(h.rects)))
	for _, r := range h.rects {
		if colored {
			dst = t.append(dst, r.color)
		}
		dst = append(dst, byte(r.x<<4|r.y), byte((r.w-1)<<4|(r.h-1)))
	}
	return dst
}

// cover finds rectangles that paint all that is not background.
func (h *hextile) cover(background uint32, width int) {
	h.rects = h.rects[:0]
	var done [hextileTile * hextileTile]bool
	height := len(h.values) / width
	for y := range height {
		for x := 0; x < width; x++ {
			color := h.values[y*width+x]
			if done[y*width+x] || color == background {
				continue
			}
			is := func(x, y int) bool { return h.values[y*width+x] == color && !done[y*width+x] }
			w := 1
			for x+w < width && is(x+w, y) {
				w++
			}
			tall := 1
			for y+tall < height && rowIs(x, x+w, y+tall, is) {
				tall++
			}
			for row := y; row < y+tall; row++ {
				for column := x; column < x+w; column++ {
					done[row*width+column] = true
				}
			}
			h.rects = append(h.rects, coloredRect{color, x, y, w, tall})
			x += w - 1
		}
	}
}

func rowIs(from, to, y int, is func(x, y int) bool) bool {
	for x := from; x < to; x++ {
		if !is(x, y) {
			return false
		}
	}
	return true
}

// mostFrequent is the value that is there most often, the first of equals.
func mostFrequent(values []uint32) uint32 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	best, most := values[0], 0
	for rest := sorted; len(rest) > 0; {
		n := run(rest)
		if n > most {
			best, most = rest[0], n
		}
		rest = rest[n:]
	}
	return best
}
