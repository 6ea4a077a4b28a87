package rfb

import (
	"image"
	"image/draw"
	"sync"
)

// Framebuffer is the image that viewers see. It is safe for concurrent use.
type Framebuffer struct {
	mu  sync.RWMutex // guards img and its pixels
	img *image.RGBA

	viewMu  sync.Mutex // guards what follows; taken after mu where both are
	viewers map[*damage]struct{}
	watched chan struct{} // closed while there is a viewer
}

// NewFramebuffer gives a black screen of 1 to 16384 pixels a side.
func NewFramebuffer(width, height int) *Framebuffer {
	return &Framebuffer{img: newImage(width, height), viewers: make(map[*damage]struct{}), watched: make(chan struct{})}
}

func newImage(width, height int) *image.RGBA {
	if width < 1 || height < 1 || width > maxFramebufferSide || height > maxFramebufferSide {
		panic("rfb: framebuffer size out of range")
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Bounds(), image.Black, image.Point{}, draw.Src)
	return img
}

// Bounds begins at 0, 0.
func (f *Framebuffer) Bounds() image.Rectangle {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.img.Bounds()
}

// Changes is how Draw's caller reports what it changed, in the order in which it did.
type Changes struct {
	Area func(image.Rectangle) // other pixels
	// Move: to has what was at from, its top left, until now. Viewers that take CopyRect get no pixels for it.
	Move func(to image.Rectangle, from image.Point)
}

// Draw lets draw change the image and report each change. Viewers wait meanwhile, so draw must not block.
func (f *Framebuffer) Draw(draw func(img *image.RGBA, changes Changes)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.viewMu.Lock()
	defer f.viewMu.Unlock()
	draw(f.img, Changes{
		Area: func(r image.Rectangle) {
			for d := range f.viewers {
				d.add(r)
			}
		},
		Move: func(to image.Rectangle, from image.Point) {
			for d := range f.viewers {
				d.addMove(to, from)
			}
		},
	})
}

// Resize changes the size, and keeps what has room at the top left. A viewer that cannot follow is cut off.
func (f *Framebuffer) Resize(width, height int) {
	img := newImage(width, height)
	f.mu.Lock()
	defer f.mu.Unlock()
	draw.Draw(img, img.Bounds(), f.img, image.Point{}, draw.Src)
	f.img = img // updates that are being sent go on with the old one
	f.viewMu.Lock()
	defer f.viewMu.Unlock()
	for d := range f.viewers {
		d.resize(img)
	}
}

// Snapshot copies the image.
func (f *Framebuffer) Snapshot() *image.RGBA {
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := image.NewRGBA(f.img.Bounds())
	copy(out.Pix, f.img.Pix)
	return out
}

// Watched gives a channel that is closed while at least one viewer is connected. When the last one goes there is a new channel:
// call Watched again to learn of it.
func (f *Framebuffer) Watched() <-chan struct{} {
	f.viewMu.Lock()
	defer f.viewMu.Unlock()
	return f.watched
}

// attach gives the damage of a new viewer, who was told the size of known: all clean, or resized since.
func (f *Framebuffer) attach(known image.Rectangle) *damage {
	f.mu.RLock()
	defer f.mu.RUnlock()
	d := newDamage(f.img)
	if f.img.Bounds() != known {
		d.resize(f.img)
	}
	f.viewMu.Lock()
	defer f.viewMu.Unlock()
	if len(f.viewers) == 0 {
		close(f.watched)
	}
	f.viewers[d] = struct{}{}
	return d
}

func (f *Framebuffer) detach(d *damage) {
	f.viewMu.Lock()
	defer f.viewMu.Unlock()
	delete(f.viewers, d)
	if len(f.viewers) == 0 {
		f.watched = make(chan struct{})
	}
}

// reading lets fn read the pixels of an image that is or was this framebuffer's; Draw waits meanwhile.
func (f *Framebuffer) reading(fn func()) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	fn()
}
