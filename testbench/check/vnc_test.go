package check

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image/color"
	"io"
	"net"
	"strings"
	"testing"
)

// Messages of an RFB server, written out from RFC 6143 sections 7.1 to 7.6.
const (
	rfbVersion  = "RFB 003.008\n"
	rfbNone     = "\x01\x01"         // one security type: None
	rfbVNCAuth  = "\x01\x02"         // one security type: VNC authentication
	rfbOK       = "\x00\x00\x00\x00" // SecurityResult
	rfbFormat32 = "\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00"
	rfbFormat16 = "\x10\x10\x01\x01\x00\x1f\x00\x3f\x00\x1f\x0b\x05\x00\x00\x00\x00" // big-endian 5-6-5
	rfbFormat8  = "\x08\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" // colour map
)

func rfbInit(width, height uint16, format, name string) string {
	b := binary.BigEndian.AppendUint16(nil, width)
	b = binary.BigEndian.AppendUint16(b, height)
	b = append(b, format...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
	return string(b) + name
}

// rfbUpdate is a FramebufferUpdate of one rectangle.
func rfbUpdate(x, y, w, h uint16, encoding int32, pixels string) string {
	b := []byte{0, 0, 0, 1}
	for _, v := range []uint16{x, y, w, h} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(encoding))
	return string(b) + pixels
}

// rfbServer says each text once the client has sent what must come before it.
type rfbStep struct{ read, say string }

func rfbServer(t *testing.T, steps ...rfbStep) Dial {
	return serve(t, func(conn *net.TCPConn) {
		for _, s := range steps {
			got := make([]byte, len(s.read))
			if _, err := io.ReadFull(conn, got); err != nil {
				return // the client gave up, which the test judges
			}
			if string(got) != s.read {
				t.Errorf("the client sent % x, want % x", got, s.read)
				return
			}
			io.WriteString(conn, s.say)
		}
		io.Copy(io.Discard, conn)
	})
}

// Messages of the client.
const (
	rfbChoseNone    = rfbVersion + "\x01"
	rfbShared       = "\x01"
	rfbEncodings    = "\x02\x00\x00\x01\x00\x00\x00\x00" // Raw alone
	rfbAskFull2x2   = "\x03\x00\x00\x00\x00\x00\x00\x02\x00\x02"
	rfbAskUpdate2x2 = "\x03\x01\x00\x00\x00\x00\x00\x02\x00\x02"
)

// login is a session without password up to the first request for the screen.
func login(initMessage string) []rfbStep {
	return []rfbStep{{"", rfbVersion + rfbNone}, {rfbChoseNone, rfbOK}, {rfbShared, initMessage}}
}

func TestVNC(t *testing.T) {
	// Blue, green, red in the low bytes first; a bell and a cut text come in between.
	steps := append(login(rfbInit(2, 2, rfbFormat32, "plant")),
		rfbStep{rfbEncodings + rfbAskFull2x2, "\x02" + rfbUpdate(0, 0, 2, 1, 0, "\x00\x00\xff\x00\x00\xff\x00\x00")},
		rfbStep{rfbAskFull2x2, "\x03\x00\x00\x00\x00\x00\x00\x02hi" + rfbUpdate(0, 1, 2, 1, 0, "\xff\x00\x00\x00\x01\x02\x03\x00")}, // the rest
		rfbStep{rfbAskUpdate2x2, ""},
		rfbStep{"\x04\x01\x00\x00\x00\x00\x00A\x04\x00\x00\x00\x00\x00\x00A\x04\x01\x00\x00\x00\x00\xff\x0d\x04\x00\x00\x00\x00\x00\xff\x0d", rfbUpdate(1, 1, 1, 1, 0, "\xff\xff\xff\x00")},
	)
	res := passes(t, "vnc", rfbServer(t, steps...), Options{VNC: VNCOptions{Type: "A\n"}}, `"plant" shows 2 x 2 pixels, 4 colours, and changes after typing`)
	for p, want := range map[[2]int]color.RGBA{{0, 0}: {255, 0, 0, 255}, {1, 0}: {0, 255, 0, 255}, {0, 1}: {0, 0, 255, 255}, {1, 1}: {255, 255, 255, 255}} {
		if got := res.Screen.RGBAAt(p[0], p[1]); got != want {
			t.Errorf("pixel %v: %v, want %v", p, got, want)
		}
	}
}

func TestVNCPixelFormats(t *testing.T) {
	ask := rfbEncodings + "\x03\x00\x00\x00\x00\x00\x00\x01\x00\x01"
	for name, tt := range map[string]struct {
		format, say string
		want        color.RGBA
	}{
		"16 bits":    {rfbFormat16, rfbUpdate(0, 0, 1, 1, 0, "\xf8\x1f"), color.RGBA{255, 0, 255, 255}},
		"colour map": {rfbFormat8, "\x01\x00\x00\x07\x00\x01\xff\xff\x80\x00\x00\x00" + rfbUpdate(0, 0, 1, 1, 0, "\x07"), color.RGBA{255, 128, 0, 255}},
	} {
		t.Run(name, func(t *testing.T) {
			dial := rfbServer(t, append(login(rfbInit(1, 1, tt.format, "")), rfbStep{ask, tt.say})...)
			res := passes(t, "vnc", dial, Options{}, "1 x 1 pixels, 1 colours")
			if got := res.Screen.RGBAAt(0, 0); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestVNCPassword(t *testing.T) {
	challenge := "0123456789abcdef"
	answered := make(chan struct{}, 1)
	server := func(result string) Dial {
		return serve(t, func(conn *net.TCPConn) {
			io.WriteString(conn, rfbVersion+rfbVNCAuth)
			io.ReadFull(conn, make([]byte, 13))
			io.WriteString(conn, challenge)
			response := make([]byte, 16)
			io.ReadFull(conn, response)
			// DES of the challenge under "secret" with each byte's bits turned round, by openssl's des-ecb and key ce a6 c6 4e a6 2e 00 00.
			if want := unhex(t, vncResponse); !bytes.Equal(response, want) {
				t.Errorf("response % x, want % x", response, want)
			}
			answered <- struct{}{}
			io.WriteString(conn, result)
			io.Copy(io.Discard, conn)
		})
	}
	fails(t, "vnc", server("\x00\x00\x00\x01\x00\x00\x00\x05wrong"), Options{VNC: VNCOptions{Password: "secret"}},
		"connecting and taking the screen", `the server refuses the log-in: "wrong"`, "VNC password")
	<-answered
	fails(t, "vnc", rfbServer(t, rfbStep{"", rfbVersion + rfbVNCAuth}), Options{}, "connecting and taking the screen", "the server offers VNC authentication", "set a password")
}

const vncResponse = "752440ee2bfcc2a0d9013fd20371e23b"

// What the library would swallow whole, index, or wait for, the guard refuses by name.
func TestVNCGuard(t *testing.T) {
	screen := login(rfbInit(2, 2, rfbFormat32, "x"))
	drawn := func(say string) []rfbStep { return append(screen[:3:3], rfbStep{rfbEncodings + rfbAskFull2x2, say}) }
	tests := []struct {
		name  string
		steps []rfbStep
		want  string
	}{
		{"web server", []rfbStep{{"", "HTTP/1.1 400 Bad Request\r\n\r\n"}}, `the server says "HTTP/1.1 400", which is no RFB version`},
		{"old version", []rfbStep{{"", "RFB 003.003\n"}}, "the server speaks RFB 3.3, and this check needs 3.8"},
		{"refusal", []rfbStep{{"", rfbVersion + "\x00\x00\x00\x00\x04busy"}}, `the server refuses the connection: "busy"`},
		{"refusal without end", []rfbStep{{"", rfbVersion + "\x00\xff\xff\xff\xff"}}, "with a reason of 4294967295 bytes"},
		{"result 2", []rfbStep{{"", rfbVersion + rfbNone}, {rfbChoseNone, "\x00\x00\x00\x02\x00\x00\x00\x00"}}, "the server refuses the log-in"},
		{"huge screen", login(rfbInit(65535, 65535, rfbFormat32, "")), "a screen of 65535 x 65535"},
		{"empty screen", login(rfbInit(0, 5, rfbFormat32, "")), "a screen of 0 x 5"},
		{"24 bits", login(rfbInit(2, 2, "\x18"+rfbFormat32[1:], "")), "a pixel format of 24 bits"},
		{"16-bit colour map", login(rfbInit(2, 2, "\x10"+rfbFormat8[1:], "")), "a pixel format of 16 bits, true colour false"},
		{"long name", login("\x00\x02\x00\x02" + rfbFormat32 + "\x7f\xff\xff\xff"), "a name of 2147483647 bytes"},
		{"other encoding", drawn(rfbUpdate(0, 0, 2, 2, 16, "")), "a rectangle in encoding 16"},
		{"outside", drawn(rfbUpdate(1, 1, 2, 1, 0, "")), "a rectangle of 2 x 1 at 1,1 on a screen of 2 x 2"},
		{"colour map beyond its end", drawn("\x01\x00\x00\xff\x00\x02"), "colour map entries 255 to 257"},
		{"long cut text", drawn("\x03\x00\x00\x00\x7f\xff\xff\xff"), "a cut text of 2147483647 bytes"},
		{"unknown message", drawn("\x63"), "a message of type 99"},
		{"paints for ever", drawn("\x00\x00\xff\xff" + strings.Repeat(rfbUpdate(0, 0, 2, 2, 0, strings.Repeat("x", 16))[4:], 5)), "paints the screen more than four times"},
		{"cut", []rfbStep{{"", rfbVersion + rfbNone}, {rfbChoseNone, rfbOK}, {rfbShared, "\x00\x02"}}, "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dial := rfbServer(t, tt.steps...)
			if tt.name == "cut" {
				inner := dial
				dial = func(ctx context.Context) (net.Conn, error) {
					conn, err := inner(ctx)
					return &cutConn{Conn: conn, left: len(rfbVersion+rfbNone+rfbOK) + 2}, err
				}
			}
			_, err := VNC(context.Background(), dial, Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// cutConn ends after so many bytes.
type cutConn struct {
	net.Conn
	left int
}

func (c *cutConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// A session whose server goes away ends whoever waits for a change.
func TestVNCServerGoes(t *testing.T) {
	ask := rfbEncodings + "\x03\x00\x00\x00\x00\x00\x00\x01\x00\x01"
	gone := make(chan struct{})
	inner := append(login(rfbInit(1, 1, rfbFormat32, "")), rfbStep{ask, rfbUpdate(0, 0, 1, 1, 0, "\x01\x02\x03\x04")})
	dial := serve(t, func(conn *net.TCPConn) {
		for _, s := range inner {
			if _, err := io.ReadFull(conn, make([]byte, len(s.read))); err != nil {
				return
			}
			io.WriteString(conn, s.say)
		}
		<-gone
	})
	client, err := DialVNC(context.Background(), dial, VNCOptions{})
	if err != nil {
		close(gone)
		t.Fatal(err)
	}
	defer client.Close()
	before := client.Screen()
	close(gone)
	if _, err := client.AwaitChange(context.Background(), before); err == nil || !strings.Contains(err.Error(), "the session ended") {
		t.Errorf("error %v", err)
	}
}

func TestKeysym(t *testing.T) {
	for r, want := range map[rune]uint32{'a': 'a', 'é': 0xe9, 'あ': 0x01003042, '\n': 0xff0d, '\t': 0xff09, '\b': 0xff08, 0x1b: 0xff1b} {
		if got := keysym(r); got != want {
			t.Errorf("%q: %#x, want %#x", r, got, want)
		}
	}
}

// replay is a server whose whole side is given; what the client writes goes nowhere.
type replay struct {
	net.Conn
	in *bytes.Reader
}

func (r *replay) Read(p []byte) (int, error)  { return r.in.Read(p) }
func (r *replay) Write(p []byte) (int, error) { return len(p), nil }

// FuzzVNC gives the whole session to client and library: whatever a server sends, nothing panics and nothing is left running.
func FuzzVNC(f *testing.F) {
	start := rfbVersion + rfbNone + rfbOK
	f.Add([]byte(start + rfbInit(2, 2, rfbFormat32, "x") + rfbUpdate(0, 0, 2, 2, 0, strings.Repeat("p", 16))))
	f.Add([]byte(start + rfbInit(1, 1, rfbFormat8, "") + "\x01\x00\x00\x07\x00\x01\xff\xff\x80\x00\x00\x00" + rfbUpdate(0, 0, 1, 1, 0, "\x07")))
	f.Add([]byte(start + rfbInit(1, 1, rfbFormat16, "") + "\x02\x03\x00\x00\x00\x00\x00\x00\x01x" + rfbUpdate(0, 0, 1, 1, 0, "\x07\x07")))
	f.Fuzz(func(t *testing.T, stream []byte) {
		here, there := net.Pipe()
		defer there.Close()
		dial := func(context.Context) (net.Conn, error) { return &replay{here, bytes.NewReader(stream)}, nil }
		client, err := DialVNC(context.Background(), dial, VNCOptions{})
		if err != nil {
			return
		}
		before := client.Screen()
		if _, err := client.AwaitChange(context.Background(), before); err != nil && !errors.Is(err, io.EOF) {
			t.Logf("ended: %v", err)
		}
		client.Close()
	})
}
