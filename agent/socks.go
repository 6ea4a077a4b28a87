package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// SOCKS5 for local programs (RFC 1928): CONNECT, without authentication, since the port is on loopback. Names are resolved in the
// closed network.

const socksVersion = 5

// socksTimeout bounds the client's request.
const socksTimeout = 10 * time.Second

// Replies (RFC 1928, 6).
const (
	socksSucceeded          = 0
	socksFailure            = 1
	socksNetworkUnreachable = 3
	socksHostUnreachable    = 4
	socksRefused            = 5
	socksNoCommand          = 7
	socksNoAddressType      = 8
)

// errSOCKS is a request that is answered with a code.
type errSOCKS byte

func (e errSOCKS) Error() string { return fmt.Sprintf("SOCKS5 request refused with code %d", byte(e)) }

// socksRequest reads greeting and request, and gives the "host:port" that is asked for. It has answered the greeting; what it
// refuses it has answered whole.
func socksRequest(rw io.ReadWriter) (string, error) {
	var b [256]byte
	if _, err := io.ReadFull(rw, b[:2]); err != nil {
		return "", err
	}
	if b[0] != socksVersion {
		return "", fmt.Errorf("SOCKS version %d: only 5 is spoken", b[0])
	}
	methods := b[:b[1]]
	if _, err := io.ReadFull(rw, methods); err != nil {
		return "", err
	}
	offered := false
	for _, m := range methods {
		offered = offered || m == 0
	}
	if !offered {
		rw.Write([]byte{socksVersion, 0xff})
		return "", errors.New("the SOCKS5 client insists on authentication")
	}
	if _, err := rw.Write([]byte{socksVersion, 0}); err != nil {
		return "", err
	}
	if _, err := io.ReadFull(rw, b[:4]); err != nil {
		return "", err
	}
	if b[0] != socksVersion {
		return "", fmt.Errorf("SOCKS version %d in the request", b[0])
	}
	command, kind := b[1], b[3]
	host, err := socksHost(rw, kind)
	if err == nil {
		_, err = io.ReadFull(rw, b[:2])
	}
	if err == nil && command != 1 {
		err = errSOCKS(socksNoCommand)
	}
	if err != nil {
		var code errSOCKS
		if errors.As(err, &code) {
			rw.Write(socksAnswer(byte(code)))
		}
		return "", err
	}
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(b[:2])))), nil
}

func socksHost(r io.Reader, kind byte) (string, error) {
	var b [255]byte
	size := 0
	switch kind {
	case 1:
		size = 4
	case 4:
		size = 16
	case 3:
		if _, err := io.ReadFull(r, b[:1]); err != nil {
			return "", err
		}
		if size = int(b[0]); size == 0 {
			return "", errSOCKS(socksNoAddressType)
		}
	default:
		return "", errSOCKS(socksNoAddressType)
	}
	if _, err := io.ReadFull(r, b[:size]); err != nil {
		return "", err
	}
	if kind != 3 {
		a, _ := netip.AddrFromSlice(b[:size])
		return a.Unmap().String(), nil
	}
	name := string(b[:size]) // it goes to a resolver and into logs
	if strings.Trim(name, nameLetters) != "" {
		return "", errSOCKS(socksHostUnreachable)
	}
	return name, nil
}

func socksAnswer(code byte) []byte { return []byte{socksVersion, code, 0, 1, 0, 0, 0, 0, 0, 0} }

// socksReply tells how dialling went.
func socksReply(w io.Writer, err error) error {
	_, werr := w.Write(socksAnswer(socksCode(err)))
	return werr
}

func socksCode(err error) byte {
	var dns *net.DNSError
	var ne net.Error
	switch {
	case err == nil:
		return socksSucceeded
	case errors.Is(err, errNoLink):
		return socksNetworkUnreachable
	case errors.Is(err, syscall.ECONNREFUSED):
		return socksRefused
	case errors.As(err, &dns), errors.Is(err, errNoNames), errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return socksHostUnreachable
	}
	return socksFailure
}
