package panel

import (
	"image"

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
	return text[max(0, len(text)-maxText):]
}

// button is an area that does something when the pointer is pressed and released on it.
type button struct {
	area  image.Rectangle
	label func(v *plc.Values) string
	lit   func(v *plc.Values) bool
	push  func(p *plc.Plant) error
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
		push: func(p *plc.Plant) error { return p.SetPump(!p.Values().Pump) },
	},
	{
		area:  image.Rect(596, 384, 776, 430),
		label: func(*plc.Values) string { return "AUTOMATIC" },
		lit:   func(v *plc.Values) bool { return v.Automatic },
		push:  func(p *plc.Plant) error { p.SetAutomatic(!p.Values().Automatic); return nil },
	},
}

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
	if err := b.push(p.cfg.Plant); err != nil {
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
