package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/net/proxy"
)

// What a Network answers, to be told apart with errors.Is.
var (
	ErrUnknownSIM = errors.New("no such SIM")
	ErrOffline    = errors.New("the SIM has no session")
	ErrRefused    = errors.New("the device refused the connection")
	ErrTimeout    = errors.New("the device did not answer")
	ErrDirectory  = errors.New("the directory of SIMs does not answer")     // so that it is not known where the device is
	ErrNetwork    = errors.New("the relay cannot reach the closed network") // as any error that is none of the others
)

// SOCKSNetwork reaches devices through a SOCKS5 server (RFC 1928) that resolves SIMID.sim at the moment of the connection, as the emulator's
// door does.
type SOCKSNetwork struct {
	Addr string // host:port of the server
}

var _ Network = SOCKSNetwork{}

// withConn is the part of the SOCKS5 client that works on a connection of ours. With it the result is the *net.TCPConn itself; the
// client's own type around it would lose splice(2).
type withConn interface {
	DialWithConn(ctx context.Context, c net.Conn, network, address string) (net.Addr, error)
}

// DialSIM connects to a port of a SIM's device. The replies 04, 05 and 06 are ErrOffline, ErrRefused and ErrTimeout.
func (n SOCKSNetwork) DialSIM(ctx context.Context, simID string, port uint16) (net.Conn, error) {
	client, err := proxy.SOCKS5("tcp", n.Addr, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("making a SOCKS5 client: %w", err)
	}
	door, ok := client.(withConn)
	if !ok {
		return nil, errors.New("the SOCKS5 client does not take a connection")
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", n.Addr)
	if err != nil {
		return nil, fmt.Errorf("%w: connecting to its SOCKS5 server: %w", ErrNetwork, err)
	}
	heard := &replyConn{Conn: conn}
	if _, err := door.DialWithConn(ctx, heard, "tcp", simID+".sim:"+strconv.Itoa(int(port))); err != nil {
		conn.Close()
		if known := heard.err(); known != nil {
			return nil, fmt.Errorf("dialling SIM %q port %d: %w", simID, port, known)
		}
		// The client gives the connection the context's deadline, which may be noticed before the context's own timer is.
		switch late := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded); {
		case late && len(heard.heard) == 0: // it had no word of the device yet
			err = fmt.Errorf("%w: its SOCKS5 server does not answer", ErrNetwork)
		case late:
			err = ErrTimeout
		}
		return nil, fmt.Errorf("dialling SIM %q port %d: %w", simID, port, err)
	}
	return conn, nil
}

// replyConn remembers the start of what the SOCKS5 server said, because the client gives its reply code only as words.
type replyConn struct {
	net.Conn
	heard []byte // method selection (2 bytes), then the reply's version and code
}

const replyCodeAt = 3

func (c *replyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if need := replyCodeAt + 1 - len(c.heard); need > 0 {
		c.heard = append(c.heard, p[:min(n, need)]...)
	}
	return n, err
}

// err is the reply code's meaning, nil where it says nothing about the device.
func (c *replyConn) err() error {
	if len(c.heard) <= replyCodeAt {
		return nil
	}
	switch c.heard[replyCodeAt] { // RFC 1928 section 6
	case 4: // host unreachable
		return ErrOffline
	case 5: // connection refused
		return ErrRefused
	case 6: // TTL expired
		return ErrTimeout
	}
	return nil
}
