package check

import (
	"encoding/binary"
	"fmt"
)

// message is the type and the fixed part of a server's message, section 7.6.
func (g *rfbGuard) message() error {
	b, err := g.take(1)
	if err != nil {
		return err
	}
	switch b[0] {
	case 0: // FramebufferUpdate
		if b, err = g.take(3); err != nil {
			return err
		}
		g.rects, g.pixels = int(binary.BigEndian.Uint16(b[1:])), 0
		if g.rects > 0 {
			g.next = g.rectangle
		}
	case 1: // SetColorMapEntries
		if b, err = g.take(5); err != nil {
			return err
		}
		first, n := int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
		if first+n > 256 {
			return fmt.Errorf("colour map entries %d to %d, and there are 256", first, first+n)
		}
		g.pass = int64(6 * n)
	case 2: // Bell
	case 3: // ServerCutText: kept from the library, which reads one byte of padding where section 7.6.4 has three
		if b, err = g.take(7); err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(b[3:])
		if n > maxRFBCutText {
			return fmt.Errorf("a cut text of %d bytes, and %d are allowed", n, maxRFBCutText)
		}
		if _, err := g.in.Discard(int(n)); err != nil {
			return fmt.Errorf("inside a cut text: %w", err)
		}
		g.out = nil
	default:
		return fmt.Errorf("a message of type %d, which was not asked for", b[0])
	}
	return nil
}

// rectangle is the header of one rectangle of an update, section 7.6.1.
func (g *rfbGuard) rectangle() error {
	b, err := g.take(12)
	if err != nil {
		return err
	}
	x, y := int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
	w, h := int(binary.BigEndian.Uint16(b[4:])), int(binary.BigEndian.Uint16(b[6:]))
	if encoding := int32(binary.BigEndian.Uint32(b[8:])); encoding != 0 {
		return fmt.Errorf("a rectangle in encoding %d, and only Raw was offered", encoding)
	}
	if x+w > g.width || y+h > g.height {
		return fmt.Errorf("a rectangle of %d x %d at %d,%d on a screen of %d x %d", w, h, x, y, g.width, g.height)
	}
	// Overlapping rectangles are allowed, but not without end: the library keeps all of an update in memory.
	if g.pixels += w * h; g.pixels > 4*g.width*g.height {
		return fmt.Errorf("an update that paints the screen more than four times")
	}
	g.pass = int64(w * h * g.pixelBytes)
	if g.rects--; g.rects == 0 {
		g.next = g.message
	}
	return nil
}
