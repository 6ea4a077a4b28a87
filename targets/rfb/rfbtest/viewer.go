// Package rfbtest is a viewer for tests. It reads RFC 6143 and the community's rfbproto anew, without a line of package rfb, and takes
// every encoding that a server may send it; what it decodes is strict, so that an encoder's mistake shows.
package rfbtest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"io"
)

// Encodings by number.
const (
	Raw                 = 0
	CopyRect            = 1
	Hextile             = 5
	Tight               = 7
	ZRLE                = 16
	DesktopSize         = -223
	LastRect            = -224
	Cursor              = -239
	ExtendedDesktopSize = -308
)

// Viewer is one connection. It is for one goroutine.
type Viewer struct {
	Name   string
	Screen *image.RGBA
	Cursor *image.RGBA // the last that came; nil: none
	Hot    image.Point // of Cursor

	// Size is the last ExtendedDesktopSize: reason and result where a place would be.
	Size image.Rectangle

	conn   io.ReadWriter
	r      *bufio.Reader
	format Format
	read   int64
	zlib   [5]inflater // ZRLE's, then Tight's
}

// Update is one FramebufferUpdate.
type Update struct {
	Rects []Rect
	Bytes int64 // of the whole message
}

// Rect of an update.
type Rect struct {
	image.Rectangle
	Encoding int
}

// New shakes hands as 3.8 without a password.
func New(conn io.ReadWriter) (*Viewer, error) {
	v := &Viewer{conn: conn, format: RGB888}
	v.r = bufio.NewReaderSize(countingReader{conn, &v.read}, 64<<10)
	if _, err := v.take(12); err != nil {
		return nil, err
	}
	if err := v.send([]byte("RFB 003.008\n")); err != nil {
		return nil, err
	}
	n, err := v.r.ReadByte()
	if err != nil {
		return nil, err
	}
	offered, err := v.take(int(n))
	if err != nil {
		return nil, err
	}
	const none = 1
	if !contains(offered, none) {
		return nil, fmt.Errorf("security types %v, want one without a password", offered)
	}
	if err := v.send([]byte{none}); err != nil {
		return nil, err
	}
	if result, err := v.take(4); err != nil || binary.BigEndian.Uint32(result) != 0 {
		return nil, fmt.Errorf("security result %v, %w", result, err)
	}
	const shared = 1
	if err := v.send([]byte{shared}); err != nil {
		return nil, err
	}
	init, err := v.take(24)
	if err != nil {
		return nil, err
	}
	v.Screen = image.NewRGBA(image.Rect(0, 0, int(binary.BigEndian.Uint16(init)), int(binary.BigEndian.Uint16(init[2:]))))
	name, err := v.take(int(binary.BigEndian.Uint32(init[20:])))
	v.Name = string(name)
	if err != nil {
		return nil, err
	}
	return v, v.SetFormat(RGB888)
}

func contains(b []byte, want byte) bool {
	for _, c := range b {
		if c == want {
			return true
		}
	}
	return false
}

// SetFormat asks for pixels of a format.
func (v *Viewer) SetFormat(f Format) error {
	v.format = f
	return v.send(append([]byte{0, 0, 0, 0}, f.bytes()...))
}

// SetEncodings asks for encodings, the most wanted first.
func (v *Viewer) SetEncodings(encodings ...int) error {
	b := binary.BigEndian.AppendUint16([]byte{2, 0}, uint16(len(encodings)))
	for _, e := range encodings {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(e)))
	}
	return v.send(b)
}

// Request asks for an update of an area; not incremental: of all of it.
func (v *Viewer) Request(incremental bool, r image.Rectangle) error {
	b := []byte{3, 0}
	if incremental {
		b[1] = 1
	}
	for _, n := range []int{r.Min.X, r.Min.Y, r.Dx(), r.Dy()} {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return v.send(b)
}

// SetDesktopSize asks for a screen of another size.
func (v *Viewer) SetDesktopSize(width, height int) error {
	b := []byte{251, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(width))
	b = binary.BigEndian.AppendUint16(b, uint16(height))
	b = append(b, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(width))
	b = binary.BigEndian.AppendUint16(b, uint16(height))
	return v.send(append(b, 0, 0, 0, 0))
}

// Await reads messages up to the next update, and paints it. Texts that are cut meanwhile come with it.
func (v *Viewer) Await() (u Update, cut []string, err error) {
	for {
		before := v.at()
		kind, err := v.r.ReadByte()
		if err != nil {
			return u, cut, err
		}
		switch kind {
		case 0:
			u.Rects, err = v.update()
			u.Bytes = v.at() - before
			return u, cut, err
		case 1: // SetColorMapEntries
			err = v.colorMap()
		case 2: // Bell
		case 3:
			var text string
			text, err = v.cutText()
			cut = append(cut, text)
		default:
			err = fmt.Errorf("a message of type %d", kind)
		}
		if err != nil {
			return u, cut, err
		}
	}
}

func (v *Viewer) colorMap() error {
	b, err := v.take(5)
	if err != nil {
		return err
	}
	first, n := int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	entries, err := v.take(6 * n)
	if err != nil {
		return err
	}
	if first+n > len(v.format.colors) {
		return fmt.Errorf("colour map entries %d to %d", first, first+n)
	}
	for i := range n {
		e := entries[6*i:]
		c := &v.format.colors[first+i]
		c.R, c.G, c.B, c.A = e[0], e[2], e[4], 0xff
	}
	return nil
}

func (v *Viewer) cutText() (string, error) {
	b, err := v.take(7)
	if err != nil {
		return "", err
	}
	text, err := v.take(int(binary.BigEndian.Uint32(b[3:])))
	runes := make([]rune, len(text))
	for i, c := range text {
		runes[i] = rune(c)
	}
	return string(runes), err
}

// at is how many bytes have been taken so far.
func (v *Viewer) at() int64 { return v.read - int64(v.r.Buffered()) }

const maxTake = 64 << 20

func (v *Viewer) take(n int) ([]byte, error) {
	if n > maxTake {
		return nil, fmt.Errorf("%d bytes at once", n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(v.r, b)
	return b, err
}

func (v *Viewer) send(b []byte) error {
	_, err := v.conn.Write(b)
	return err
}

type countingReader struct {
	r io.Reader
	n *int64
}

func (c countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	*c.n += int64(n)
	return n, err
}
