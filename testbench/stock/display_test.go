package stock

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// display is an X server without a screen to look at.
type display struct{ name string }

func startDisplay(t *testing.T, width, height int) *display {
	t.Helper()
	number, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer number.Close()
	cmd := exec.Command(tool(t, "Xvfb", "xvfb"), "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height), "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{write}
	start(t, cmd)
	write.Close()
	line, err := bufio.NewReader(number).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb does not say its display: %v", err)
	}
	return &display{":" + strings.TrimSpace(line)}
}

// on makes a program show on the display.
func (d *display) on(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Environ(), "DISPLAY="+d.name)
	return cmd
}

// screenshot is what the display shows.
func (d *display) screenshot(t *testing.T) *image.RGBA {
	t.Helper()
	out, err := d.on(exec.Command(tool(t, "xwd", "x11-apps"), "-root", "-silent")).Output()
	if err != nil {
		t.Fatalf("xwd: %v", err)
	}
	img, err := parseXWD(out)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// parseXWD reads an X window dump of true colour (X11/XWDFile.h, version 7): a header of 25 words, a name, a colour map, pixels.
func parseXWD(b []byte) (*image.RGBA, error) {
	const words = 25
	if len(b) < 4*words {
		return nil, errors.New("reading a window dump: it is cut short")
	}
	word := func(i int) int { return int(binary.BigEndian.Uint32(b[4*i:])) }
	headerSize, width, height, bitsPerPixel, bytesPerLine, colors := word(0), word(4), word(5), word(11), word(12), word(19)
	const colorSize = 12
	if at := headerSize + colorSize*colors; bitsPerPixel == 32 && len(b) == at+height*bytesPerLine {
		b = b[at:]
	} else {
		return nil, fmt.Errorf("reading a window dump: %d bits per pixel, %d bytes", bitsPerPixel, len(b))
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		row := b[y*bytesPerLine:]
		for x := range width {
			copy(img.Pix[img.PixOffset(x, y):], []byte{row[4*x+2], row[4*x+1], row[4*x], 0xff})
		}
	}
	return img, nil
}

// differing counts the pixels of region in which a and b, laid over it from their top left corners, differ, and that pick does not leave out.
func differing(a, b *image.RGBA, pick func(x, y int) bool) (compared, different int) {
	size := a.Rect.Size()
	for y := range size.Y {
		for x := range size.X {
			if !pick(x, y) {
				continue
			}
			compared++
			if a.RGBAAt(a.Rect.Min.X+x, a.Rect.Min.Y+y) != b.RGBAAt(b.Rect.Min.X+x, b.Rect.Min.Y+y) {
				different++
			}
		}
	}
	return compared, different
}
