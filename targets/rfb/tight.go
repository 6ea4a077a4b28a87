package rfb

import "image"

// Numbers of Tight, from the community's rfbproto ("Tight Encoding").
const (
	tightFill       = 0x80
	tightFilter     = 0x40 // a filter id follows
	tightStreamAt   = 4    // the bit from which on the control byte has the stream
	tightPalette    = 1    // filter id
	tightMinZlib    = 12   // bytes; fewer go as they are
	tightMaxPalette = 256
)

// A zlib stream for each kind of content, because like compresses like.
const (
	tightFullColor = iota
	tightTwoColors
	tightIndexed
	tightStreams
)

// tight is Tight without loss: fill, palette and full colour, no JPEG. What this server shows is drawn, not filmed: JPEG would blur its
// letters to save nothing.
type tight struct {
	streams [tightStreams]zstream
	palette palette
	values  []uint32
	plain   []byte
}

func (z *tight) appendRect(dst []byte, img *image.RGBA, r image.Rectangle, p *pixels) []byte {
	t := &p.tpixel
	z.values = t.load(z.values, img, r)
	hasPalette := z.palette.fill(z.values, tightMaxPalette)
	colors := z.palette.colors
	switch {
	case len(colors) == 1:
		return t.append(append(dst, tightFill), colors[0])
	case hasPalette && len(colors) == 2:
		dst = appendTightPalette(dst, tightTwoColors, colors, t)
		z.plain = z.palette.appendPacked(z.plain[:0], z.values, r.Dx(), 1)
		return z.appendData(dst, tightTwoColors)
	case hasPalette && len(colors)*t.size+len(z.values) < len(z.values)*t.size:
		dst = appendTightPalette(dst, tightIndexed, colors, t)
		z.plain = z.palette.appendPacked(z.plain[:0], z.values, r.Dx(), 8)
		return z.appendData(dst, tightIndexed)
	}
	z.plain = t.appendAll(z.plain[:0], z.values)
	return z.appendData(append(dst, tightFullColor<<tightStreamAt), tightFullColor)
}

func appendTightPalette(dst []byte, stream int, colors []uint32, t *translation) []byte {
	dst = append(dst, byte(stream<<tightStreamAt|tightFilter), tightPalette, byte(len(colors)-1))
	return t.appendAll(dst, colors)
}

// appendData appends z.plain: as it is when it is short, else its length when compressed, and that.
func (z *tight) appendData(dst []byte, stream int) []byte {
	if len(z.plain) < tightMinZlib {
		return append(dst, z.plain...)
	}
	packed := z.streams[stream].compress(z.plain)
	return append(appendCompactLength(dst, len(packed)), packed...)
}

// appendCompactLength: seven bits an octet, lowest first, the top bit saying that another follows; the third has eight.
func appendCompactLength(dst []byte, n int) []byte {
	switch {
	case n < 1<<7:
		return append(dst, byte(n))
	case n < 1<<14:
		return append(dst, byte(n)|0x80, byte(n>>7))
	}
	return append(dst, byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14))
}
