package check

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// Bounds of an RFB stream.
const (
	maxRFBReason  = 4 << 10
	maxRFBName    = 4 << 10
	maxRFBPixels  = 16 << 20 // of a screen
	maxRFBCutText = 1 << 20
)

// rfbGuard stands between the network and the VNC library, which takes every length that a server names, indexes its colour map
// with what the server says, and reads pixel by pixel. The guard reads the stream through a buffer, follows its structure (RFC 6143
// sections 7.1, 7.3, 7.6), and lets only messages pass that are sound and bounded. Pixels pass unlooked: decoding stays the library's.
type rfbGuard struct {
	net.Conn
	in   *bufio.Reader
	next func() error // reads and judges the next part of the stream into out
	out  []byte       // judged, not yet taken
	pass int64        // then so many bytes pass as they come

	security      byte // that our side chose
	width, height int
	pixelBytes    int
	trueColor     bool
	rects         int // left of this update
	pixels        int // of this update so far

	corked bool
	cork   []byte // written while corked

	done  chan struct{} // closed once the library has let go of the connection
	close sync.Once

	mu  sync.Mutex
	err error // guarded by mu: why reading ended
}

func newRFBGuard(conn net.Conn) *rfbGuard {
	g := &rfbGuard{Conn: conn, in: bufio.NewReaderSize(conn, 64<<10), done: make(chan struct{})}
	g.next = g.version
	return g
}

// Read is called by one goroutine at a time: the one that dials, then the library's.
func (g *rfbGuard) Read(p []byte) (int, error) {
	for {
		switch {
		case len(p) == 0:
			return 0, nil
		case len(g.out) > 0:
			n := copy(p, g.out)
			g.out = g.out[n:]
			return n, nil
		case g.pass > 0:
			n, err := g.in.Read(p[:min(int64(len(p)), g.pass)])
			g.pass -= int64(n)
			if n > 0 {
				return n, nil
			}
			return 0, g.fail(err)
		}
		if err := g.next(); err != nil {
			return 0, g.fail(err)
		}
	}
}

func (g *rfbGuard) fail(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
	}
	return err
}

// Err is why reading ended; nil while it has not.
func (g *rfbGuard) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// Write also learns which security type our side chose, which decides what the server says next.
func (g *rfbGuard) Write(p []byte) (int, error) {
	if g.security == 0 && len(p) == 1 {
		g.security = p[0]
	}
	if g.corked {
		g.cork = append(g.cork, p...) // the library writes a message field by field, which would be as many packets
		return len(p), nil
	}
	return g.Conn.Write(p)
}

// together sends what fn writes at once.
func (g *rfbGuard) together(fn func() error) error {
	g.corked, g.cork = true, g.cork[:0]
	err := fn()
	g.corked = false
	if err != nil {
		return err
	}
	_, err = g.Conn.Write(g.cork)
	return err
}

// Close is what the library calls when it lets go: when its handshake fails, and when its reading goroutine ends.
func (g *rfbGuard) Close() error {
	g.close.Do(func() { close(g.done) })
	return g.Conn.Close()
}

// take reads n bytes into out and gives them.
func (g *rfbGuard) take(n int) ([]byte, error) {
	start := len(g.out)
	if start == 0 {
		g.out = make([]byte, 0, 64)
	}
	g.out = append(g.out, make([]byte, n)...)
	if m, err := io.ReadFull(g.in, g.out[start:]); err != nil {
		g.out = nil
		if m > 0 || start > 0 {
			err = fmt.Errorf("inside a message: %w", err)
		}
		return nil, err
	}
	return g.out[start:], nil
}

// version is the first message, section 7.1.1.
func (g *rfbGuard) version() error {
	b, err := g.take(12)
	if err != nil {
		return fmt.Errorf("the server sent no RFB version: %w", err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(b), "RFB %03d.%03d\n", &major, &minor); err != nil {
		return hintf(protocolHint(b), "the server says %q, which is no RFB version", b)
	}
	if major != 3 || minor < 8 {
		return fmt.Errorf("the server speaks RFB %d.%d, and this check needs 3.8", major, minor)
	}
	g.next = g.securityTypes
	return nil
}

// securityTypes are offered by the server, section 7.1.2; none means that it refuses and says why.
func (g *rfbGuard) securityTypes() error {
	b, err := g.take(1)
	if err != nil {
		return err
	}
	if b[0] == 0 {
		return g.refusal("the server refuses the connection")
	}
	types, err := g.take(int(b[0]))
	if err != nil {
		return err
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = map[byte]string{1: "None", 2: "VNC authentication", 16: "Tight", 18: "TLS", 19: "VeNCrypt", 30: "Apple"}[t]
		if names[i] == "" {
			names[i] = fmt.Sprint(t)
		}
	}
	g.mu.Lock()
	g.err = hintf("set a password for VNC authentication (or none for None); other types are not supported", "no security type in common: the server offers %s", strings.Join(names, ", "))
	g.mu.Unlock()
	g.next = g.authentication
	return nil
}

// authentication is reached only when a type was chosen.
func (g *rfbGuard) authentication() error {
	g.mu.Lock()
	g.err = nil
	g.mu.Unlock()
	g.next = g.securityResult
	if g.security == 2 {
		g.pass = 16 // the challenge, section 7.2.2
	}
	return nil
}

// securityResult is section 7.1.3. The library takes every value but 1 for success.
func (g *rfbGuard) securityResult() error {
	b, err := g.take(4)
	if err != nil {
		return err
	}
	if binary.BigEndian.Uint32(b) != 0 {
		if g.security == 2 {
			return &hinted{g.refusal("the server refuses the log-in"), "check the VNC password; only its first eight characters count"}
		}
		return g.refusal("the server refuses the log-in")
	}
	g.next = g.serverInit
	return nil
}

// refusal reads the reason that the server gives.
func (g *rfbGuard) refusal(what string) error {
	b, err := g.take(4)
	if err != nil {
		return fmt.Errorf("%s and gives no reason", what)
	}
	n := binary.BigEndian.Uint32(b)
	if n > maxRFBReason {
		return fmt.Errorf("%s, with a reason of %d bytes", what, n)
	}
	reason, err := g.take(int(n))
	if err != nil {
		return fmt.Errorf("%s and gives no reason", what)
	}
	return fmt.Errorf("%s: %q", what, reason)
}

// serverInit is section 7.3.2.
func (g *rfbGuard) serverInit() error {
	b, err := g.take(24)
	if err != nil {
		return err
	}
	g.width, g.height = int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:]))
	if g.width == 0 || g.height == 0 || g.width*g.height > maxRFBPixels {
		return fmt.Errorf("a screen of %d x %d, and 1 to %d pixels are allowed", g.width, g.height, maxRFBPixels)
	}
	bitsPerPixel := b[4]
	g.trueColor = b[7] != 0
	if bitsPerPixel != 8 && bitsPerPixel != 16 && bitsPerPixel != 32 || !g.trueColor && bitsPerPixel != 8 {
		return fmt.Errorf("a pixel format of %d bits, true colour %v, which is not allowed", bitsPerPixel, g.trueColor)
	}
	g.pixelBytes = int(bitsPerPixel / 8)
	if n := binary.BigEndian.Uint32(b[20:]); n > maxRFBName {
		return fmt.Errorf("a name of %d bytes, and %d are allowed", n, maxRFBName)
	} else {
		g.pass = int64(n)
	}
	g.next = g.message
	return nil
}
