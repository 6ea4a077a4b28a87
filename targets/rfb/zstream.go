package rfb

import (
	"bytes"
	"compress/zlib"
)

// zstream is a zlib stream that lasts as long as the viewer (section 7.7.6): each part ends on a byte, and leaves the window to the
// next one. The zero value is a stream that has not begun: a compressor holds most of a megabyte.
type zstream struct {
	w   *zlib.Writer
	out bytes.Buffer
}

// compress gives the next part of the stream. It is valid until the next call.
func (z *zstream) compress(plain []byte) []byte {
	if z.w == nil {
		z.w = zlib.NewWriter(&z.out)
	}
	z.out.Reset()
	z.w.Write(plain) // a bytes.Buffer takes everything
	z.w.Flush()
	return z.out.Bytes()
}
