package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
)

// SOCKS5 numbers (RFC 1928).
const (
	socksVersion   = 5
	methodNone     = 0x00
	methodNoneFits = 0xff
	cmdConnect     = 1
	atypIPv4       = 1
	atypName       = 3
	atypIPv6       = 4
)

// reply is the REP field.
type reply byte

const (
	repSucceeded       reply = 0
	repFailure         reply = 1
	repNotAllowed      reply = 2
	repHostUnreachable reply = 4
	repRefused         reply = 5
	repTTLExpired      reply = 6
	repBadCommand      reply = 7
	repBadAddressType  reply = 8
	repNone            reply = 0xff // not on the wire: the connection is closed without a reply
)

// negotiate takes the greeting and chooses "no authentication". Nothing is read beyond it.
func negotiate(rw io.ReadWriter) error {
	var head [2]byte
	if _, err := io.ReadFull(rw, head[:]); err != nil {
		return fmt.Errorf("reading the greeting: %w", err)
	}
	if head[0] != socksVersion {
		return fmt.Errorf("version %d, not SOCKS5", head[0])
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(rw, methods); err != nil {
		return fmt.Errorf("reading the methods: %w", err)
	}
	for _, m := range methods {
		if m == methodNone {
			_, err := rw.Write([]byte{socksVersion, methodNone})
			return err
		}
	}
	rw.Write([]byte{socksVersion, methodNoneFits}) // it is closed next, whether this arrives or not
	return errors.New("the client offers no method that is served: want 0, no authentication")
}

// readRequest takes the request. Nothing is read beyond it. With an error comes the reply to give.
func readRequest(r io.Reader) (host string, port uint16, rep reply, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", 0, repNone, fmt.Errorf("reading the request: %w", err)
	}
	if head[0] != socksVersion || head[2] != 0 {
		return "", 0, repFailure, fmt.Errorf("malformed request % x", head)
	}
	var size int
	switch head[3] {
	case atypIPv4:
		size = 4
	case atypIPv6:
		size = 16
	case atypName:
		var n [1]byte
		if _, err := io.ReadFull(r, n[:]); err != nil {
			return "", 0, repNone, fmt.Errorf("reading the name: %w", err)
		}
		if size = int(n[0]); size == 0 {
			return "", 0, repFailure, errors.New("empty name")
		}
	default:
		return "", 0, repBadAddressType, fmt.Errorf("address type %d", head[3])
	}
	rest := make([]byte, size+2)
	if _, err := io.ReadFull(r, rest); err != nil {
		return "", 0, repNone, fmt.Errorf("reading the address: %w", err)
	}
	port = binary.BigEndian.Uint16(rest[size:])
	switch {
	case head[1] != cmdConnect:
		return "", 0, repBadCommand, fmt.Errorf("command %d: only CONNECT is served", head[1])
	case head[3] != atypName: // an address may be another device's by now; only a name says which one is meant
		a, _ := netip.AddrFromSlice(rest[:size])
		return "", 0, repNotAllowed, fmt.Errorf("address %s: only names are served", a)
	}
	return string(rest[:size]), port, repSucceeded, nil
}

// writeReply sends a reply. bound is this end of the connection to the device; nil: none.
func writeReply(w io.Writer, rep reply, bound net.Addr) error {
	b := []byte{socksVersion, byte(rep), 0, atypIPv4, 0, 0, 0, 0, 0, 0}
	if ta, ok := bound.(*net.TCPAddr); ok {
		if ip := ta.IP.To4(); ip != nil {
			copy(b[4:], ip)
			binary.BigEndian.PutUint16(b[8:], uint16(ta.Port))
		}
	}
	_, err := w.Write(b)
	return err
}
