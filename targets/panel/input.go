package panel

import (
	"image"
	"strings"
	"unicode"

	"minato/targets/plc"
	"minato/targets/rfb"
)

// maxText is how many typed characters are kept: what the box shows.
const maxText = entryColumns * entryRows

// OnKey edits the text box.
func (p *Panel) OnKey(key rfb.Keysym, down bool) {
	if !down {
		return
	}
	p.mu.Lock()
	p.text = edit(p.text, key)
	p.mu.Unlock()
	p.changed()
}

// edit applies a key to a text, of which only the end is kept.
func edit(text []rune, key rfb.Keysym) []rune {
	switch key {
	case rfb.KeyBackSpace, rfb.KeyDelete:
		return text[:max(0, len(text)-1)]
	case rfb.KeyReturn, rfb.KeyPadEnter:
		text = append(text, '\n')
	case rfb.KeyTab:
		text = append(text, ' ')
	case rfb.KeyEscape:
		return nil
	default:
		r, ok := key.Rune()
		if !ok {
			return text
		}
		text = append(text, r)
	}
	return keep(text)
}

// keep is the end of a text that has room.
func keep(text []rune) []rune { return text[max(0, len(text)-maxText):] }

// OnCutText takes what was cut or copied on a viewer's side, for the button Paste.
func (p *Panel) OnCutText(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clipboard = text
}

// OnCopy has fn called with the text of the box when the button Copy is pushed.
func (p *Panel) OnCopy(fn func(text string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onCopy = fn
}

func (p *Panel) copyText() error {
	p.mu.Lock()
	p.clipboard = string(p.text)
	text, onCopy := p.clipboard, p.onCopy
	p.mu.Unlock()
	if onCopy != nil {
		onCopy(text)
	}
	return nil
}

// paste types the clipboard. Line ends are those of any system.
func (p *Panel) paste() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range strings.ReplaceAll(p.clipboard, "\r\n", "\n") {
		switch {
		case r == '\n' || r == '\r':
			p.text = edit(p.text, rfb.KeyReturn)
		case r == '\t':
			p.text = edit(p.text, rfb.KeyTab)
		case unicode.IsPrint(r):
			p.text = keep(append(p.text, r))
		}
	}
	return nil
}

func (p *Panel) clear() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = nil
	return nil
}

// button is an area that does something when the pointer is pressed and released on it.
type button struct {
	area  image.Rectangle
	label func(v *plc.Values) string
	lit   func(v *plc.Values) bool // nil: it has no lamp
	push  func(p *Panel) error
}

// buttons of the panel.
var buttons = []button{
	{
		area: image.Rect(404, 384, 584, 430),
		label: func(v *plc.Values) string {
			if v.Pump {
				return "PUMP ON"
			}
			return "PUMP OFF"
		},
		lit:  func(v *plc.Values) bool { return v.Pump },
		push: func(p *Panel) error { return p.cfg.Plant.SetPump(!p.cfg.Plant.Values().Pump) },
	},
	{
		area:  image.Rect(596, 384, 776, 430),
		label: func(*plc.Values) string { return "AUTOMATIC" },
		lit:   func(v *plc.Values) bool { return v.Automatic },
		push: func(p *Panel) error {
			p.cfg.Plant.SetAutomatic(!p.cfg.Plant.Values().Automatic)
			return nil
		},
	},
	{area: entryButton(0), label: always("COPY"), push: (*Panel).copyText},
	{area: entryButton(1), label: always("PASTE"), push: (*Panel).paste},
	{area: entryButton(2), label: always("CLEAR"), push: (*Panel).clear},
}

// entryButton is the i-th of three at the right of the text box's title.
func entryButton(i int) image.Rectangle {
	const width, height, pitch = 64, 24, 72
	at := image.Pt(EntryArea.Max.X-12-2*pitch-width+i*pitch, EntryArea.Min.Y+6)
	return image.Rectangle{at, at.Add(image.Pt(width, height))}
}

func always(label string) func(*plc.Values) string { return func(*plc.Values) string { return label } }

const leftButton = 1

// OnPointer works the buttons. Like everywhere, a button acts on release, and not when the pointer left it before.
func (p *Panel) OnPointer(x, y int, mask byte) {
	p.mu.Lock()
	wasDown, isDown := p.buttons&leftButton != 0, mask&leftButton != 0
	p.buttons = mask
	if wasDown == isDown {
		p.mu.Unlock()
		return
	}
	released := p.pressed
	p.pressed = -1
	over := buttonAt(image.Pt(x, y))
	if isDown {
		p.pressed = over
	}
	p.mu.Unlock()
	if !isDown && released >= 0 && released == over {
		p.push(buttons[released])
	}
	p.changed()
}

func (p *Panel) push(b button) {
	message := ""
	if err := b.push(p); err != nil {
		message = err.Error()
		p.cfg.Logger.Info("panel button refused", "err", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.message = message
}

func buttonAt(at image.Point) int {
	for i, b := range buttons {
		if at.In(b.area) {
			return i
		}
	}
	return -1
}

func (p *Panel) changed() {
	select {
	case p.input <- struct{}{}:
	default:
	}
}
