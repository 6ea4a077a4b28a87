package rfb

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"io"
)

// The messages of a viewer, section 7.5.
type (
	setPixelFormat PixelFormat
	setEncodings   []Encoding
	updateRequest  struct {
		incremental bool
		region      image.Rectangle
	}
	keyEvent struct {
		down   bool
		keysym Keysym
	}
	pointerEvent struct {
		buttons byte
		x, y    int
	}
	clientCutText  string
	setDesktopSize struct{ width, height int }
)

// readMessage reads one message. An error other than the end of the stream between messages means that no boundary is left.
func readMessage(r *bufio.Reader) (any, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	parse := messageParsers[kind]
	if parse.parse == nil {
		return nil, fmt.Errorf("reading a client message: unknown type %d", kind)
	}
	fixed := make([]byte, parse.size)
	if _, err := io.ReadFull(r, fixed); err != nil {
		return nil, unexpected(err)
	}
	m, err := parse.parse(fixed, r)
	return m, unexpected(err)
}

// messageParsers by message type: the fixed size after the type, and the parser, which reads a variable part from r.
var messageParsers = map[byte]struct {
	size  int
	parse func(fixed []byte, r *bufio.Reader) (any, error)
}{
	msgSetPixelFormat:           {setPixelFormatSize, parseSetPixelFormat},
	msgSetEncodings:             {setEncodingsSize, parseSetEncodings},
	msgFramebufferUpdateRequest: {updateRequestSize, parseUpdateRequest},
	msgKeyEvent:                 {keyEventSize, parseKeyEvent},
	msgPointerEvent:             {pointerEventSize, parsePointerEvent},
	msgClientCutText:            {clientCutTextSize, parseClientCutText},
	msgSetDesktopSize:           {setDesktopSizeSize, parseSetDesktopSize},
}

func parseSetPixelFormat(b []byte, _ *bufio.Reader) (any, error) {
	f, err := parsePixelFormat(b[3:])
	return setPixelFormat(f), err
}

func parseSetEncodings(b []byte, r *bufio.Reader) (any, error) {
	n := int(binary.BigEndian.Uint16(b[1:]))
	if n > maxEncodings {
		return nil, fmt.Errorf("reading SetEncodings: %d encodings, at most %d", n, maxEncodings)
	}
	body := make([]byte, 4*n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	out := make(setEncodings, n)
	for i := range out {
		out[i] = Encoding(binary.BigEndian.Uint32(body[4*i:]))
	}
	return out, nil
}

func parseUpdateRequest(b []byte, _ *bufio.Reader) (any, error) {
	x, y := int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	w, h := int(binary.BigEndian.Uint16(b[5:])), int(binary.BigEndian.Uint16(b[7:]))
	return updateRequest{incremental: b[0] != 0, region: image.Rect(x, y, x+w, y+h)}, nil
}

func parseKeyEvent(b []byte, _ *bufio.Reader) (any, error) {
	return keyEvent{down: b[0] != 0, keysym: Keysym(binary.BigEndian.Uint32(b[3:]))}, nil
}

func parsePointerEvent(b []byte, _ *bufio.Reader) (any, error) {
	return pointerEvent{buttons: b[0], x: int(binary.BigEndian.Uint16(b[1:])), y: int(binary.BigEndian.Uint16(b[3:]))}, nil
}

// parseClientCutText reads Latin-1 text. More than maxCutText is an attack or an extension that was never offered.
func parseClientCutText(b []byte, r *bufio.Reader) (any, error) {
	n := binary.BigEndian.Uint32(b[3:])
	if n > maxCutText {
		return nil, fmt.Errorf("reading ClientCutText: %d bytes, at most %d", n, maxCutText)
	}
	latin1 := make([]byte, n)
	if _, err := io.ReadFull(r, latin1); err != nil {
		return nil, err
	}
	text := make([]rune, n)
	for i, c := range latin1 {
		text[i] = rune(c)
	}
	return clientCutText(text), nil
}

// parseSetDesktopSize leaves the screens out: this server has one, and says so when it answers.
func parseSetDesktopSize(b []byte, r *bufio.Reader) (any, error) {
	m := setDesktopSize{int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))}
	_, err := r.Discard(screenSize * int(b[5]))
	return m, err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
