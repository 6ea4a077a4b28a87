package recognize

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// State is how far a ClientHello has come.
type State int

// States of ClientHello.
const (
	NeedMore State = iota + 1 // what is there is the start of a ClientHello
	Complete                  // Hello is filled
	NotHello                  // it can never become one; the error says why
)

// Sizes in bytes.
const (
	MaxHello        = 64 << 10 // longest run of bytes in which a whole ClientHello is looked for
	recordHeader    = 5        // type 1, version 2, length 2 (RFC 8446 section 5.1)
	maxFragment     = 1 << 14  // of a plaintext record
	handshakeHeader = 4        // type 1, length 3 (RFC 8446 section 4)
	typeClientHello = 1
)

// Hello is what a ClientHello (RFC 8446 section 4.1.2) offers.
type Hello struct {
	LegacyVersion     uint16   // 0x0303 in TLS 1.2 and 1.3
	SupportedVersions []uint16 // extension 43, GREASE left out; nil if there is none
	ServerName        string   // SNI, extension 0; printable ASCII, at most 255 bytes
	ALPN              []string // extension 16, GREASE left out
	CipherSuites      []uint16 // GREASE left out
}

// MaxVersion is the highest version offered.
func (h Hello) MaxVersion() uint16 {
	v := uint16(0)
	for _, s := range h.SupportedVersions {
		v = max(v, s)
	}
	if v == 0 {
		v = h.LegacyVersion
	}
	return v
}

// ClientHello parses the first bytes of a client, whose ClientHello may lie in several records. It is strict: what no
// TLS client sends is NotHello as soon as a byte shows it. Bytes after the ClientHello are ignored.
func ClientHello(b []byte) (Hello, State, error) {
	msg, state, err := handshakeMessage(b[:min(len(b), MaxHello)])
	if state == NeedMore && len(b) >= MaxHello {
		return Hello{}, NotHello, errTooLong
	}
	if state != Complete {
		return Hello{}, state, err
	}
	h, err := parseHello(msg)
	if err != nil {
		return Hello{}, NotHello, fmt.Errorf("parsing ClientHello: %w", err)
	}
	return h, Complete, nil
}

var errTooLong = errors.New("ClientHello longer than 64 KiB")

// handshakeMessage joins the fragments of the first handshake message and returns its body.
func handshakeMessage(b []byte) (body []byte, s State, err error) {
	var msg []byte
	for {
		fragment, rest, state, err := nextFragment(b)
		if state == NotHello {
			return nil, NotHello, err
		}
		switch {
		case msg == nil:
			msg = fragment[:len(fragment):len(fragment)] // a copy is made only when a second fragment is appended
		default:
			msg = append(msg, fragment...)
		}
		if len(msg) > 0 && msg[0] != typeClientHello {
			return nil, NotHello, fmt.Errorf("handshake message %d, want %d (ClientHello)", msg[0], typeClientHello)
		}
		if len(msg) > handshakeHeader && msg[handshakeHeader] != 3 {
			return nil, NotHello, fmt.Errorf("ClientHello version %d.x, want 3.x", msg[handshakeHeader])
		}
		if len(msg) >= handshakeHeader {
			n := int(msg[1])<<16 | int(msg[2])<<8 | int(msg[3])
			if n > MaxHello {
				return nil, NotHello, errTooLong
			}
			if len(msg) >= handshakeHeader+n {
				return msg[handshakeHeader : handshakeHeader+n], Complete, nil
			}
		}
		if state == NeedMore {
			return nil, NeedMore, nil
		}
		b = rest
	}
}

// nextFragment takes a record's fragment off b, or as much of it as is there with NeedMore.
func nextFragment(b []byte) (fragment, rest []byte, s State, err error) {
	switch {
	case len(b) > 0 && b[0] != recordHandshake:
		return nil, nil, NotHello, fmt.Errorf("record type %#02x, want %#02x (handshake)", b[0], recordHandshake)
	case len(b) > 1 && b[1] != 3, len(b) > 2 && b[2] > 4:
		return nil, nil, NotHello, fmt.Errorf("record version % x, want 03 01 to 03 04", b[1:min(len(b), 3)])
	case len(b) < recordHeader:
		return nil, nil, NeedMore, nil
	}
	n := int(binary.BigEndian.Uint16(b[3:]))
	if n == 0 || n > maxFragment {
		return nil, nil, NotHello, fmt.Errorf("record of %d bytes, want 1 to %d", n, maxFragment)
	}
	b = b[recordHeader:]
	if len(b) < n {
		return b, nil, NeedMore, nil
	}
	return b[:n], b[n:], Complete, nil
}
