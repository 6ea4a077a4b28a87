package rfb

import (
	"bufio"
	"image"
	"image/color"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mitchellh/go-vnc"
)

// bufferedConn spares go-vnc one system call per pixel.
type bufferedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c bufferedConn) Read(b []byte) (int, error) { return c.r.Read(b) }

func vncClient(t *testing.T, address, password string) (*vnc.ClientConn, chan vnc.ServerMessage, error) {
	t.Helper()
	w := dial(t, address)
	messages := make(chan vnc.ServerMessage, 16)
	auth := vnc.ClientAuth(new(vnc.ClientAuthNone))
	if password != "" {
		auth = &vnc.PasswordAuth{Password: password}
	}
	c, err := vnc.Client(bufferedConn{w.Conn, w.r}, &vnc.ClientConfig{Auth: []vnc.ClientAuth{auth}, ServerMessageCh: messages})
	return c, messages, err
}

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(60 * time.Second):
		t.Fatal("nothing came in 60 s")
		panic("unreachable")
	}
}

// TestClient holds the server against mitchellh/go-vnc, with its own DES.
func TestClient(t *testing.T) {
	f := NewFramebuffer(40, 30)
	fill(f, image.Rect(1, 0, 2, 1), color.RGBA{255, 128, 64, 255})
	type key struct {
		Keysym Keysym
		Down   bool
	}
	keys := make(chan key, 1)
	pointers := make(chan [3]int, 1)
	texts := make(chan string, 1)
	address := serve(t, Config{
		Name: "plant 1", Framebuffer: f, Password: "sesame",
		OnKey:     func(k Keysym, down bool) { keys <- key{k, down} },
		OnPointer: func(x, y int, buttons byte) { pointers <- [3]int{x, y, int(buttons)} },
		OnCutText: func(text string) { texts <- text },
	})
	if _, _, err := vncClient(t, address, "wrong"); err == nil {
		t.Error("a wrong password was taken")
	}
	c, messages, err := vncClient(t, address, "sesame")
	if err != nil {
		t.Fatal(err)
	}
	if c.DesktopName != "plant 1" || c.FrameBufferWidth != 40 || c.FrameBufferHeight != 30 {
		t.Errorf("desktop %q, %dx%d", c.DesktopName, c.FrameBufferWidth, c.FrameBufferHeight)
	}
	if err := c.SetEncodings([]vnc.Encoding{new(vnc.RawEncoding)}); err != nil {
		t.Fatal(err)
	}
	c.FramebufferUpdateRequest(false, 0, 0, 40, 30)
	update, ok := await(t, messages).(*vnc.FramebufferUpdateMessage)
	if !ok || len(update.Rectangles) != 1 {
		t.Fatalf("update = %+v", update)
	}
	if got := update.Rectangles[0].Enc.(*vnc.RawEncoding).Colors[1]; got != (vnc.Color{R: 255, G: 128, B: 64}) {
		t.Errorf("colour = %+v", got)
	}
	c.KeyEvent(0xff0d, true)
	if got := await(t, keys); got != (key{KeyReturn, true}) {
		t.Errorf("key = %+v", got)
	}
	c.PointerEvent(vnc.ButtonLeft, 12, 34)
	if got := await(t, pointers); got != [3]int{12, 34, 1} {
		t.Errorf("pointer = %v", got)
	}
	if err := c.CutText("hello"); err != nil {
		t.Fatal(err)
	}
	if got := await(t, texts); got != "hello" {
		t.Errorf("text = %q", got)
	}
	c.KeyEvent('a', false)
	if got := await(t, keys); got != (key{'a', false}) {
		t.Errorf("key after a text = %+v", got)
	}
}

// TestSlowViewer: a viewer that asks and never reads delays neither Draw nor another viewer.
func TestSlowViewer(t *testing.T) {
	f := NewFramebuffer(2000, 2000) // 16 MB: more than the sockets hold
	address := serve(t, Config{Framebuffer: f})
	slow := view(t, address, 1)
	slow.request(false, f.Bounds())
	slow.recv(1) // it is being sent
	fast := view(t, address, 1)
	for range 10 {
		fast.request(true, f.Bounds())
		fill(f, image.Rect(5, 5, 6, 6), color.RGBA{9, 9, 9, 255})
		if rects, _ := fast.update(4); !cmp.Equal(rects, []image.Rectangle{image.Rect(5, 5, 6, 6)}) {
			t.Fatalf("update = %v", rects)
		}
	}
}

func TestSharedFlag(t *testing.T) {
	f := NewFramebuffer(10, 10)
	address := serve(t, Config{Framebuffer: f})
	sees := func(w *wire) {
		t.Helper()
		w.request(false, f.Bounds())
		w.update(4)
	}
	first, second := view(t, address, 0), view(t, address, 1)
	sees(first)
	sees(second)
	third := view(t, address, 0)
	sees(third)
	first.expectEnd()
	second.expectEnd()
}

func TestWatched(t *testing.T) {
	f := NewFramebuffer(10, 10)
	address := serve(t, Config{Framebuffer: f})
	before := f.Watched()
	select {
	case <-before:
		t.Fatal("watched before anybody came")
	default:
	}
	w := view(t, address, 1)
	await(t, before)
	w.Close()
	for { // the server notices the end at some time
		select {
		case <-f.Watched():
			continue
		default:
		}
		return
	}
}

func TestBadMessageEndsOneViewer(t *testing.T) {
	f := NewFramebuffer(10, 10)
	address := serve(t, Config{Framebuffer: f})
	good, bad := view(t, address, 1), view(t, address, 1)
	bad.send(0x47)
	bad.expectEnd()
	good.request(false, f.Bounds())
	good.update(4)
}
