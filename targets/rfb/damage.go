package rfb

import (
	"image"
	"sync"
)

// tileSize: damage is kept as one bounding box per tile, so that two small changes far apart do not become one large rectangle.
const tileSize = 32

// damage is what one viewer has not seen yet.
type damage struct {
	bounds  image.Rectangle
	columns int
	changed chan struct{} // has a token after each add

	mu    sync.Mutex        // guards boxes
	boxes []image.Rectangle // by tile, row by row; empty: clean
}

func newDamage(bounds image.Rectangle) *damage {
	columns := (bounds.Dx() + tileSize - 1) / tileSize
	rows := (bounds.Dy() + tileSize - 1) / tileSize
	return &damage{bounds: bounds, columns: columns, changed: make(chan struct{}, 1), boxes: make([]image.Rectangle, columns*rows)}
}

func (d *damage) add(r image.Rectangle) {
	r = r.Intersect(d.bounds)
	if r.Empty() {
		return
	}
	d.mu.Lock()
	for row := r.Min.Y / tileSize; row*tileSize < r.Max.Y; row++ {
		for column := r.Min.X / tileSize; column*tileSize < r.Max.X; column++ {
			box := &d.boxes[row*d.columns+column]
			*box = box.Union(r.Intersect(tile(column, row)))
		}
	}
	d.mu.Unlock()
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

func tile(column, row int) image.Rectangle {
	return image.Rect(column*tileSize, row*tileSize, (column+1)*tileSize, (row+1)*tileSize)
}

// take gives the damaged rectangles within region and forgets them; neighbours come joined.
func (d *damage) take(region image.Rectangle) []image.Rectangle {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []image.Rectangle
	for row := 0; row*d.columns < len(d.boxes); row++ {
		inRow := len(out)
		for column := range d.columns {
			box := &d.boxes[row*d.columns+column]
			r := box.Intersect(region)
			if r.Empty() {
				continue
			}
			*box = without(*box, r)
			if n := len(out); n > inRow && out[n-1].Max.X == r.Min.X && out[n-1].Min.Y == r.Min.Y && out[n-1].Max.Y == r.Max.Y {
				out[n-1].Max.X = r.Max.X
			} else {
				out = append(out, r)
			}
		}
		out = joinRows(out, inRow)
	}
	return out
}

// joinRows joins the rectangles from index on with those above that they continue.
func joinRows(rects []image.Rectangle, index int) []image.Rectangle {
	out := rects[:index]
next:
	for _, r := range rects[index:] {
		for i := range out[:index] {
			if out[i].Max.Y == r.Min.Y && out[i].Min.X == r.Min.X && out[i].Max.X == r.Max.X {
				out[i].Max.Y = r.Max.Y
				continue next
			}
		}
		out = append(out, r)
	}
	return out
}

// without is the smallest rectangle that holds what is left of box after r, a part of it.
func without(box, r image.Rectangle) image.Rectangle {
	fullWidth := r.Min.X == box.Min.X && r.Max.X == box.Max.X
	fullHeight := r.Min.Y == box.Min.Y && r.Max.Y == box.Max.Y
	switch {
	case fullWidth && fullHeight:
		return image.Rectangle{}
	case fullWidth && r.Min.Y == box.Min.Y:
		box.Min.Y = r.Max.Y
	case fullWidth && r.Max.Y == box.Max.Y:
		box.Max.Y = r.Min.Y
	case fullHeight && r.Min.X == box.Min.X:
		box.Min.X = r.Max.X
	case fullHeight && r.Max.X == box.Max.X:
		box.Max.X = r.Min.X
	}
	return box
}
