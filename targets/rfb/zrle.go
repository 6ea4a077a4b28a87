package rfb

import (
	"encoding/binary"
	"image"
)

// Numbers of section 7.7.6.
const (
	zrleTile = 64

	zrleRaw          = 0
	zrleSolid        = 1
	zrlePlainRLE     = 128
	zrlePaletteRLE   = 128 // and the number of colours
	zrleMostPacked   = 16
	zrleMostPalette  = 127
	zrleRunPerOctet  = 255
	zrleIndexWithRun = 128
)

// zrle is section 7.7.6: tiles of 64 pixels, each in the form that is shortest, then zlib.
type zrle struct {
	stream  zstream
	palette palette
	values  []uint32
	plain   []byte
}

func (z *zrle) appendRect(dst []byte, img *image.RGBA, r image.Rectangle, p *pixels) []byte {
	z.plain = z.plain[:0]
	for y := r.Min.Y; y < r.Max.Y; y += zrleTile {
		for x := r.Min.X; x < r.Max.X; x += zrleTile {
			tile := image.Rect(x, y, x+zrleTile, y+zrleTile).Intersect(r)
			z.values = p.cpixel.load(z.values, img, tile)
			z.plain = z.appendTile(z.plain, tile.Dx(), &p.cpixel)
		}
	}
	packed := z.stream.compress(z.plain)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(packed)))
	return append(dst, packed...)
}

func (z *zrle) appendTile(dst []byte, width int, t *translation) []byte {
	hasPalette := z.palette.fill(z.values, zrleMostPalette)
	colors := z.palette.colors
	if len(colors) == 1 {
		return t.append(append(dst, zrleSolid), colors[0])
	}
	plainRLE, paletteRLE := z.runLengths(t.size)
	best, form := len(z.values)*t.size, z.appendRaw
	if plainRLE < best {
		best, form = plainRLE, z.appendPlainRLE
	}
	if hasPalette {
		paletteSize := len(colors) * t.size
		// zlib makes less of runs than of rows of indices, hence the 2: it is worth 3 % on the sample screen.
		if n := paletteSize + 2*paletteRLE; n < best {
			best, form = n, z.appendPaletteRLE
		}
		if len(colors) <= zrleMostPacked {
			rows := len(z.values) / width
			if n := paletteSize + rows*((width*packedBits(len(colors))+7)/8); n < best {
				form = z.appendPackedPalette
			}
		}
	}
	return form(dst, width, t)
}

// packedBits of an index into a palette of so many colours.
func packedBits(colors int) int {
	switch {
	case colors <= 2:
		return 1
	case colors <= 4:
		return 2
	}
	return 4
}

// runLengths is how long the tile's runs are: as plain RLE, and as palette RLE without the palette.
func (z *zrle) runLengths(size int) (plain, indexed int) {
	for rest := z.values; len(rest) > 0; {
		n := run(rest)
		rest = rest[n:]
		octets := 1 + (n-1)/zrleRunPerOctet
		plain += size + octets
		indexed++
		if n > 1 {
			indexed += octets
		}
	}
	return plain, indexed
}

// run is how many values from the first on are equal.
func run(values []uint32) int {
	n := 1
	for n < len(values) && values[n] == values[0] {
		n++
	}
	return n
}

func (z *zrle) appendRaw(dst []byte, _ int, t *translation) []byte {
	return t.appendAll(append(dst, zrleRaw), z.values)
}

func (z *zrle) appendPackedPalette(dst []byte, width int, t *translation) []byte {
	dst = t.appendAll(append(dst, byte(len(z.palette.colors))), z.palette.colors)
	return z.palette.appendPacked(dst, z.values, width, uint(packedBits(len(z.palette.colors))))
}

func (z *zrle) appendPlainRLE(dst []byte, _ int, t *translation) []byte {
	dst = append(dst, zrlePlainRLE)
	for rest := z.values; len(rest) > 0; {
		n := run(rest)
		dst = appendRunLength(t.append(dst, rest[0]), n)
		rest = rest[n:]
	}
	return dst
}

func (z *zrle) appendPaletteRLE(dst []byte, _ int, t *translation) []byte {
	dst = t.appendAll(append(dst, byte(zrlePaletteRLE+len(z.palette.colors))), z.palette.colors)
	for rest := z.values; len(rest) > 0; {
		n := run(rest)
		index := z.palette.index(rest[0])
		if n == 1 {
			dst = append(dst, index)
		} else {
			dst = appendRunLength(append(dst, index|zrleIndexWithRun), n)
		}
		rest = rest[n:]
	}
	return dst
}

// appendRunLength: one less than the length, as the sum of octets of which all but the last are 255.
func appendRunLength(dst []byte, n int) []byte {
	for n--; n >= zrleRunPerOctet; n -= zrleRunPerOctet {
		dst = append(dst, zrleRunPerOctet)
	}
	return append(dst, byte(n))
}
