package rfb

import (
	"image"
	"sync"
)

// Framebuffer is the image that viewers see. It is safe for concurrent use.
type Framebuffer struct {
	bounds image.Rectangle

	mu  sync.RWMutex // guards the pixels of img
	img *image.RGBA

	viewMu  sync.Mutex // guards what follows; taken after mu where both are
	viewers map[*damage]struct{}
	watched chan struct{} // closed while there is a viewer
}

// NewFramebuffer gives a black screen of 1 to 16384 pixels a side.
func NewFramebuffer(width, height int) *Framebuffer {
	if width < 1 || height < 1 || width > maxFramebufferSide || height > maxFramebufferSide {
		panic("rfb: framebuffer size out of range")
	}
	bounds := image.Rect(0, 0, width, height)
	return &Framebuffer{bounds: bounds, img: image.NewRGBA(bounds), viewers: make(map[*damage]struct{}), watched: make(chan struct{})}
}

// Bounds begins at 0, 0.
func (f *Framebuffer) Bounds() image.Rectangle { return f.bounds }

// Draw lets draw change the image and report each area that it changed. Viewers wait meanwhile, so draw must not block.
func (f *Framebuffer) Draw(draw func(img *image.RGBA, changed func(image.Rectangle))) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.viewMu.Lock()
	defer f.viewMu.Unlock()
	draw(f.img, func(r image.Rectangle) {
		for d := range f.viewers {
			d.add(r)
		}
	})
}

// Snapshot copies the image.
func (f *Framebuffer) Snapshot() *image.RGBA {
	f.mu.RLock()
	defer f.mu.RUnlock()
	out := image.NewRGBA(f.bounds)
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

// attach gives the damage of a new viewer, all clean; detach ends it.
func (f *Framebuffer) attach() *damage {
	d := newDamage(f.bounds)
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

// encode lets fn read the pixels; Draw waits meanwhile.
func (f *Framebuffer) encode(fn func(img *image.RGBA)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	fn(f.img)
}
