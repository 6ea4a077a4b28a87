package rfb

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// PixelFormat of section 7.4.
type PixelFormat struct {
	BitsPerPixel, Depth             uint8
	BigEndian, TrueColor            bool
	RedMax, GreenMax, BlueMax       uint16
	RedShift, GreenShift, BlueShift uint8
}

// nativeFormat is offered in ServerInit: what most viewers use themselves.
var nativeFormat = PixelFormat{
	BitsPerPixel: 32, Depth: 24, TrueColor: true,
	RedMax: 255, GreenMax: 255, BlueMax: 255, RedShift: 16, GreenShift: 8, BlueShift: 0,
}

// colorMapFormat is how a pixel value is an index into the map that appendColorMap sends: 3 bits red, 3 green, 2 blue.
var colorMapFormat = PixelFormat{RedMax: 7, GreenMax: 7, BlueMax: 3, RedShift: 5, GreenShift: 2, BlueShift: 0}

// parsePixelFormat reads pixelFormatSize bytes, and refuses what the section rules out.
func parsePixelFormat(b []byte) (PixelFormat, error) {
	f := PixelFormat{
		BitsPerPixel: b[0], Depth: b[1], BigEndian: b[2] != 0, TrueColor: b[3] != 0,
		RedMax: binary.BigEndian.Uint16(b[4:]), GreenMax: binary.BigEndian.Uint16(b[6:]), BlueMax: binary.BigEndian.Uint16(b[8:]),
		RedShift: b[10], GreenShift: b[11], BlueShift: b[12],
	}
	switch f.BitsPerPixel {
	case 8, 16, 32:
	default:
		return f, fmt.Errorf("parsing the pixel format: %d bits per pixel, want 8, 16 or 32", f.BitsPerPixel)
	}
	if f.Depth > f.BitsPerPixel {
		return f, fmt.Errorf("parsing the pixel format: depth %d is more than %d bits per pixel", f.Depth, f.BitsPerPixel)
	}
	if !f.TrueColor {
		return f, nil // the rest is meaningless then
	}
	for _, c := range []struct {
		name  string
		max   uint16
		shift uint8
	}{{"red", f.RedMax, f.RedShift}, {"green", f.GreenMax, f.GreenShift}, {"blue", f.BlueMax, f.BlueShift}} {
		width := bits.Len16(c.max)
		if c.max != uint16(1<<width-1) {
			return f, fmt.Errorf("parsing the pixel format: %s maximum %d is not 2^n-1", c.name, c.max)
		}
		if int(c.shift)+width > int(f.BitsPerPixel) {
			return f, fmt.Errorf("parsing the pixel format: %s does not fit: shift %d, maximum %d, %d bits per pixel", c.name, c.shift, c.max, f.BitsPerPixel)
		}
	}
	return f, nil
}

func (f PixelFormat) append(dst []byte) []byte {
	dst = append(dst, f.BitsPerPixel, f.Depth, flag(f.BigEndian), flag(f.TrueColor))
	dst = binary.BigEndian.AppendUint16(dst, f.RedMax)
	dst = binary.BigEndian.AppendUint16(dst, f.GreenMax)
	dst = binary.BigEndian.AppendUint16(dst, f.BlueMax)
	return append(dst, f.RedShift, f.GreenShift, f.BlueShift, 0, 0, 0)
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// appendColorMap is SetColorMapEntries (section 7.6.2) with the whole map of colorMapFormat.
func appendColorMap(dst []byte) []byte {
	dst = append(dst, msgSetColorMapEntries, 0, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, colorMapEntries)
	for i := range uint32(colorMapEntries) {
		dst = binary.BigEndian.AppendUint16(dst, uint16((i>>5&7)*0xffff/7))
		dst = binary.BigEndian.AppendUint16(dst, uint16((i>>2&7)*0xffff/7))
		dst = binary.BigEndian.AppendUint16(dst, uint16((i&3)*0xffff/3))
	}
	return dst
}
