package rfb

import (
	"bufio"
	"bytes"
	"image"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadMessage(t *testing.T) {
	tests := []struct {
		name, wire string
		want       any
	}{
		{"SetPixelFormat", "\x00\x00\x00\x00" + string(nativeFormat.append(nil)), setPixelFormat(nativeFormat)},
		{"SetEncodings", "\x02\x00\x00\x02\x00\x00\x00\x10\xff\xff\xff\x11", setEncodings{16, -239}},
		{"FramebufferUpdateRequest", "\x03\x01\x00\x01\x00\x02\x00\x03\x00\x04", updateRequest{true, image.Rect(1, 2, 4, 6)}},
		{"KeyEvent", "\x04\x01\x00\x00\x00\x00\xff\x0d", keyEvent{true, KeyReturn}},
		{"PointerEvent", "\x05\x01\x01\x00\x00\x10", pointerEvent{1, 256, 16}},
		{"SetDesktopSize", "\xfb\x00\x03\x20\x02\x58\x01\x00" + strings.Repeat("\x00", 16), setDesktopSize{800, 600}},
		{"ClientCutText", "\x06\x00\x00\x00\x00\x00\x00\x02a\xe9", clientCutText("aé")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := bufio.NewReader(strings.NewReader(tt.wire))
			got, err := readMessage(r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(updateRequest{}, keyEvent{}, pointerEvent{}, setDesktopSize{})); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if r.Buffered() != 0 {
				t.Errorf("%d bytes left", r.Buffered())
			}
			if _, err := readMessage(bufio.NewReader(strings.NewReader(tt.wire[:len(tt.wire)-1]))); err == nil {
				t.Error("a cut message was taken")
			}
		})
	}
}

func TestReadMessageRefuses(t *testing.T) {
	tests := []struct{ name, wire, want string }{
		{"unknown type", "\x01", "unknown type 1"},
		{"24 bits per pixel", "\x00\x00\x00\x00\x18\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00", "24 bits per pixel"},
		{"depth", "\x00\x00\x00\x00\x08\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00", "depth 24"},
		{"maximum", "\x00\x00\x00\x00\x20\x18\x00\x01\x00\xfe\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00", "red maximum 254"},
		{"shift", "\x00\x00\x00\x00\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x19\x00\x00\x00\x00", "green does not fit"},
		{"too many encodings", "\x02\x00\xff\xff", "65535 encodings"},
		{"long text", "\x06\x00\x00\x00\x00\x01\x00\x01", "65537 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readMessage(bufio.NewReader(strings.NewReader(tt.wire)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x02\x00\x00\x00\x10\xff\xff\xff\x11\x03\x01\x00\x01\x00\x02\x00\x03\x00\x04"))
	f.Add(append([]byte{0, 0, 0, 0}, nativeFormat.append(nil)...))
	f.Add([]byte("\x06\x00\x00\x00\x00\x00\x00\x02a\xe9"))
	img := image.NewRGBA(image.Rect(0, 0, 3, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		for {
			m, err := readMessage(r)
			if err != nil {
				return
			}
			if format, ok := m.(setPixelFormat); ok {
				p := newPixels(PixelFormat(format))
				if n := len(p.pixel.appendRect(nil, img, img.Bounds())); n != 9*p.pixel.size {
					t.Fatalf("9 pixels of %d bytes became %d", p.pixel.size, n)
				}
				again, err := parsePixelFormat(PixelFormat(format).append(nil))
				if err != nil || again != PixelFormat(format) {
					t.Fatalf("round trip = %+v, %v; want %+v", again, err, format)
				}
			}
		}
	})
}

func FuzzParseVersion(f *testing.F) {
	f.Add([]byte("RFB 003.008\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < versionSize {
			return
		}
		if v, err := parseVersion([versionSize]byte(b)); err == nil && v != version33 && v != version37 && v != version38 {
			t.Fatalf("version %d", v)
		}
	})
}

func FuzzKeysym(f *testing.F) {
	for k, want := range map[Keysym]rune{'a': 'a', 0xe9: 'é', 0x20ac: '€', 0xffb7: '7', 0xffab: '+', 0xffbd: '=', 0xff80: ' ', 0x010030ab: 'カ', KeyReturn: 0, 0xffe1: 0, 0x01000007: 0} {
		if r, _ := k.Rune(); r != want {
			f.Errorf("%#x = %q, want %q", uint32(k), r, want)
		}
		f.Add(uint32(k))
	}
	f.Fuzz(func(t *testing.T, k uint32) {
		if r, ok := Keysym(k).Rune(); ok && (r < ' ' || r == 0x7f) {
			t.Fatalf("%#x is the control character %q", k, r)
		}
	})
}
