package rfb

// maxPalette is the most colours that any encoding numbers: Tight's palettes.
const maxPalette = 256

// palette numbers the colours of an area in the order in which they come first.
type palette struct {
	colors []uint32
	// A hash table of twice the entries with linear probing; an entry counts only with the palette's own stamp, so that starting
	// anew costs nothing.
	entries [2 * maxPalette]paletteEntry
	stamp   uint32
}

type paletteEntry struct {
	color uint32
	stamp uint32
	index uint8
}

// fill begins anew with the colours of values, and tells whether they are at most most.
func (p *palette) fill(values []uint32, most int) bool {
	p.stamp++
	if p.stamp == 0 { // after 2^32 areas old stamps would come alive
		p.entries = [2 * maxPalette]paletteEntry{}
		p.stamp = 1
	}
	p.colors = p.colors[:0]
	for i, v := range values {
		if i > 0 && v == values[i-1] {
			continue
		}
		e := p.entry(v)
		if e.stamp == p.stamp {
			continue
		}
		if len(p.colors) == most {
			return false
		}
		*e = paletteEntry{v, p.stamp, uint8(len(p.colors))}
		p.colors = append(p.colors, v)
	}
	return true
}

// index of a colour that fill has seen.
func (p *palette) index(color uint32) uint8 { return p.entry(color).index }

// entry is a colour's own, or the free one where it would be.
func (p *palette) entry(color uint32) *paletteEntry {
	for at := color * 0x9e3779b1 >> 23; ; at = (at + 1) % (2 * maxPalette) {
		if e := &p.entries[at]; e.stamp != p.stamp || e.color == color {
			return e
		}
	}
}

// appendPacked appends rows of palette indices of so many bits each, most significant first, each row padded to whole bytes.
func (p *palette) appendPacked(dst []byte, values []uint32, width int, bits uint) []byte {
	for ; len(values) > 0; values = values[width:] {
		var octet byte
		free := uint(8)
		for _, v := range values[:width] {
			free -= bits
			octet |= p.index(v) << free
			if free == 0 {
				dst = append(dst, octet)
				octet, free = 0, 8
			}
		}
		if free < 8 {
			dst = append(dst, octet)
		}
	}
	return dst
}
