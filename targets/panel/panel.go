// Package panel is the plant's screen: an operator panel of 800 by 600 pixels on an rfb.Framebuffer. It draws only while somebody
// watches, and only what changed: a widget remembers what it has drawn, down to the character.
package panel

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"sync"
	"time"

	"minato/targets/plc"
	"minato/targets/rfb"
)

// Size of the screen in pixels.
const (
	Width  = 800
	Height = 600
)

// Config of a Panel.
type Config struct {
	Name   string           // of the device, in the title bar
	Plant  *plc.Plant       // what is shown and switched
	Now    func() time.Time // of the clock; nil: time.Now
	Signal func() Signal    // of the device's modem, asked at each drawing; nil: there is no modem
	Logger *slog.Logger     // nil: silent
}

// Panel is the screen and its input. OnKey and OnPointer may be called from any goroutine; drawing is Run's.
type Panel struct {
	cfg         Config
	framebuffer *rfb.Framebuffer
	widgets     []widget
	input       chan struct{} // has a token after each change by OnKey or OnPointer

	mu      sync.Mutex // guards what follows
	text    []rune     // typed
	pressed int        // index in buttons of the one that is held down; -1: none
	buttons byte       // of the pointer, as they were last
	message string     // what the plant answered to the last button

	clipboard string            // what was cut or copied on a viewer's side, or here
	onCopy    func(text string) // nil: nobody wants it
}

// state is what the widgets show.
type state struct {
	values  plc.Values
	clock   time.Time
	signal  *Signal // nil: there is no modem
	text    []rune
	pressed int
	message string
	history []uint16 // levels in 0.1 %, one a second
	seconds int      // number of the second after the last of history
}

// widget draws what differs from what it drew last.
type widget interface {
	draw(c *canvas, s *state)
}

// New gives a panel that is drawn once.
func New(cfg Config) (*Panel, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	fonts, err := loadFonts()
	if err != nil {
		return nil, fmt.Errorf("loading the panel's fonts: %w", err)
	}
	p := &Panel{
		cfg:         cfg,
		framebuffer: rfb.NewFramebuffer(Width, Height),
		widgets:     layout(fonts),
		input:       make(chan struct{}, 1),
		pressed:     -1,
	}
	p.framebuffer.Draw(func(img *image.RGBA, changes rfb.Changes) {
		drawBackground(&canvas{img: img, changed: changes.Area, moved: changes.Move}, fonts, cfg.Name)
	})
	p.draw()
	return p, nil
}

// Framebuffer is the screen.
func (p *Panel) Framebuffer() *rfb.Framebuffer { return p.framebuffer }

// Run draws until ctx ends.
func (p *Panel) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.framebuffer.Watched():
			p.watch(ctx)
		}
	}
}

// watch draws until nobody watches any more, which it notices at the next change of the plant.
func (p *Panel) watch(ctx context.Context) {
	changes, stop := p.cfg.Plant.Subscribe()
	defer stop()
	for {
		select {
		case <-p.framebuffer.Watched():
		default:
			return
		}
		p.draw()
		select {
		case <-ctx.Done():
			return
		case <-changes:
		case <-p.input:
		}
	}
}

// draw brings every widget up to date.
func (p *Panel) draw() {
	s := state{values: p.cfg.Plant.Values(), clock: p.cfg.Now()}
	s.history, s.seconds = p.cfg.Plant.History()
	if p.cfg.Signal != nil {
		signal := p.cfg.Signal()
		s.signal = &signal
	}
	p.mu.Lock()
	s.text, s.pressed, s.message = append(s.text, p.text...), p.pressed, p.message
	p.mu.Unlock()
	p.framebuffer.Draw(func(img *image.RGBA, changes rfb.Changes) {
		c := &canvas{img: img, changed: changes.Area, moved: changes.Move}
		for _, w := range p.widgets {
			w.draw(c, &s)
		}
	})
}
