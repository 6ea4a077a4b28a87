package rfb

import (
	"image"
	"slices"
	"sync"
)

// tileSize: damage is kept as one bounding box per tile, so that two small changes far apart do not become one large rectangle.
const tileSize = 32

// damage is what one viewer has not seen yet.
type damage struct {
	changed chan struct{} // has a token after each change

	mu      sync.Mutex // guards what follows
	img     *image.RGBA
	bounds  image.Rectangle // of img
	columns int
	boxes   []image.Rectangle // by tile, row by row; empty: clean
	moves   bool              // the viewer takes CopyRect
	move    move              // not seen yet, older than the boxes; empty: none
	resized bool              // the viewer does not know of bounds
	reading bool              // the pixels of the last news: whether they show a move from now on is not known
}

// move is an area whose content came from elsewhere on the screen.
type move struct {
	to   image.Rectangle
	from image.Point // top left
}

func newDamage(img *image.RGBA) *damage {
	d := &damage{changed: make(chan struct{}, 1)}
	d.showLocked(img)
	return d
}

// showLocked begins with an image of which everything is clean.
func (d *damage) showLocked(img *image.RGBA) {
	d.img, d.bounds = img, img.Bounds()
	d.columns = (d.bounds.Dx() + tileSize - 1) / tileSize
	rows := (d.bounds.Dy() + tileSize - 1) / tileSize
	d.boxes, d.move = make([]image.Rectangle, d.columns*rows), move{}
}

// resize takes an image of another size, of which everything is damaged.
func (d *damage) resize(img *image.RGBA) {
	d.mu.Lock()
	d.showLocked(img)
	d.resized = true
	d.addLocked(d.bounds)
	d.mu.Unlock()
	d.tell()
}

func (d *damage) add(r image.Rectangle) {
	d.mu.Lock()
	d.addLocked(r)
	d.mu.Unlock()
	d.tell()
}

func (d *damage) addLocked(r image.Rectangle) {
	r = r.Intersect(d.bounds)
	if r.Empty() {
		return
	}
	for row := r.Min.Y / tileSize; row*tileSize < r.Max.Y; row++ {
		for column := r.Min.X / tileSize; column*tileSize < r.Max.X; column++ {
			box := &d.boxes[row*d.columns+column]
			*box = box.Union(r.Intersect(tile(column, row)))
		}
	}
}

// addMove notes that to has what was at from. It is kept for CopyRect where the viewer takes that, no other move waits and no pixels are
// still to be read, which would show the source after the move; what the viewer had not seen of the source is damage at the destination too.
func (d *damage) addMove(to image.Rectangle, from image.Point) {
	source := image.Rectangle{from, from.Add(to.Size())}
	d.mu.Lock()
	if !d.moves || d.reading || !d.move.to.Empty() || !to.In(d.bounds) || !source.In(d.bounds) {
		d.addLocked(to)
	} else {
		d.move = move{to, from}
		for _, box := range slices.Clone(d.boxes) {
			d.addLocked(box.Intersect(source).Add(to.Min.Sub(from)))
		}
	}
	d.mu.Unlock()
	d.tell()
}

// takeMoves says whether the viewer takes CopyRect.
func (d *damage) takeMoves(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moves = yes
}

func (d *damage) tell() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// news is what an update of a region has to tell, in this order. With resized there is nothing else.
type news struct {
	img     *image.RGBA // what the rectangles are of
	resized bool
	move    move // empty: none
	rects   []image.Rectangle
}

func (n *news) empty() bool { return !n.resized && n.move.to.Empty() && len(n.rects) == 0 }

// news gives what is new within region and forgets it.
func (d *damage) news(region image.Rectangle) news {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.resized && !region.Empty() {
		d.resized = false
		return news{img: d.img, resized: true}
	}
	n := news{img: d.img}
	if !region.Empty() && !d.move.to.Empty() {
		if d.move.to.In(region) {
			n.move = d.move
		} else {
			d.addLocked(d.move.to)
		}
		d.move = move{}
	}
	n.rects = d.takeLocked(region)
	d.reading = len(n.rects) > 0
	return n
}

// allRead says that all pixels of the last news have been read.
func (d *damage) allRead() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reading = false
}

func tile(column, row int) image.Rectangle {
	return image.Rect(column*tileSize, row*tileSize, (column+1)*tileSize, (row+1)*tileSize)
}

// takeLocked gives the damaged rectangles within region and forgets them; neighbours come joined.
func (d *damage) takeLocked(region image.Rectangle) []image.Rectangle {
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
