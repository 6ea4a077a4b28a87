package rfb_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minato/targets/rfb"
	"minato/targets/rfb/rfbtest"
)

// TestSizesBesideTigerVNC: for the sample screen, ZRLE and Tight take at most 1.1 of the bytes that TigerVNC's server takes for the
// same pixels, without loss.
func TestSizesBesideTigerVNC(t *testing.T) {
	img := panelImage(t)
	f := rfb.NewFramebuffer(img.Rect.Dx(), img.Rect.Dy())
	show(f, img, image.Point{})
	ours := serve(t, rfb.Config{Framebuffer: f})
	theirs := tigerVNC(t, img)

	// The pseudo-encodings let TigerVNC split rectangles as it likes, and keep its pointer out of the picture.
	for name, encodings := range map[string][]int{
		"ZRLE":  {rfbtest.ZRLE, rfbtest.LastRect, rfbtest.Cursor},
		"Tight": {rfbtest.Tight, rfbtest.LastRect, rfbtest.Cursor},
	} {
		t.Run(name, func(t *testing.T) {
			var sizes [2]int64
			for i, connect := range []func() *rfbtest.Viewer{ours, theirs} {
				v := connect()
				if err := v.SetEncodings(encodings...); err != nil {
					t.Fatal(err)
				}
				sizes[i] = whole(t, v, img)
			}
			t.Logf("%d bytes, TigerVNC %d: %.2f", sizes[0], sizes[1], float64(sizes[0])/float64(sizes[1]))
			if 10*sizes[0] > 11*sizes[1] {
				t.Errorf("%d bytes, and TigerVNC sends %d", sizes[0], sizes[1])
			}
		})
	}
}

// whole takes the screen once, and gives the bytes of its rectangles of pixels.
func whole(t *testing.T, v *rfbtest.Viewer, want *image.RGBA) int64 {
	t.Helper()
	u := update(t, v, false)
	n := u.Bytes
	for !bytes.Equal(v.Screen.Pix, want.Pix) {
		n += update(t, v, true).Bytes
	}
	if v.Cursor != nil {
		n -= int64(12 + len(v.Cursor.Pix) + (v.Cursor.Rect.Dx()+7)/8*v.Cursor.Rect.Dy())
	}
	return n
}

// tigerVNC shows a picture on TigerVNC's server until the test ends, and gives viewers of it.
func tigerVNC(t *testing.T, img *image.RGBA) (connect func() *rfbtest.Viewer) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tigervnc") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "rfb")
	number, display, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer number.Close()
	server := exec.Command(tool(t, "Xtigervnc", "tigervnc-standalone-server"),
		"-geometry", fmt.Sprintf("%dx%d", img.Rect.Dx(), img.Rect.Dy()), "-depth", "24", "-SecurityTypes", "None",
		"-rfbunixpath", socket, "-rfbport", "-1", "-nolisten", "tcp", "-displayfd", "3")
	server.ExtraFiles = []*os.File{display}
	run(t, server)
	display.Close()
	line, err := bufio.NewReader(number).ReadString('\n')
	if err != nil {
		t.Fatalf("TigerVNC does not say its display: %v", err)
	}

	picture := filepath.Join(dir, "picture.xwd")
	if err := os.WriteFile(picture, xwd(img), 0o600); err != nil {
		t.Fatal(err)
	}
	viewer := exec.Command(tool(t, "xwud", "x11-apps"), "-in", picture, "-geometry", "+0+0", "-noclick")
	viewer.Env = append(os.Environ(), "DISPLAY=:"+strings.TrimSpace(line))
	run(t, viewer)

	connect = func() *rfbtest.Viewer { return connectTo(t, "unix", socket) }
	v := connect()
	if err := v.SetEncodings(rfbtest.Raw, rfbtest.Cursor); err != nil {
		t.Fatal(err)
	}
	whole(t, v, img) // waits until it is shown
	return connect
}

// run runs a program until the test ends.
func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), said.String())
		}
	})
}

func tool(t *testing.T, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil && os.Getenv("CI") != "true" {
		t.Skipf("%s is not installed: apt-get install %s", program, debianPackage)
	}
	if err != nil {
		t.Fatalf("%s is not installed: apt-get install %s", program, debianPackage)
	}
	return path
}

// xwd is an image as an X window dump (X11/XWDFile.h, version 7): a header of 25 words, a name of one byte, pixels.
func xwd(img *image.RGBA) []byte {
	width, height := uint32(img.Rect.Dx()), uint32(img.Rect.Dy())
	const (
		header    = 100 + 1
		version   = 7
		zPixmap   = 2
		trueColor = 4
	)
	var out []byte
	for _, word := range []uint32{
		header, version, zPixmap, 24, width, height, 0, 0, 32, 0, 32, 32, 4 * width,
		trueColor, 0xff0000, 0xff00, 0xff, 8, 256, 0, width, height, 0, 0, 0,
	} {
		out = binary.BigEndian.AppendUint32(out, word)
	}
	out = append(out, 0)
	for i := 0; i < len(img.Pix); i += 4 {
		out = append(out, img.Pix[i+2], img.Pix[i+1], img.Pix[i], 0)
	}
	return out
}
