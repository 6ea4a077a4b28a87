package scenario

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"strings"

	"minato/targets/panel"
	"minato/testbench/check"
	"minato/testbench/env"
)

var vncTLS = Scenario{
	Name:  "vnc-tls",
	Doc:   "A VNC viewer logs in through our tunnel, sees the device's screen, types, and sees what it typed.",
	On:    both,
	Setup: withVNCPassword,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 5900, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		return throughTunnel(ctx, e, m, func(ctx context.Context, address string) error {
			return viewScreen(ctx, e, address)
		})
	},
}

func withVNCPassword(c *env.Config) { c.VNCPassword = vncPassword }

// viewScreen logs in to the VNC server at a port of this machine, types, and keeps a picture. What was typed has to appear where the screen shows
// it: other words look otherwise, and deleting them brings back what was there. The clock and the plant move the rest of the screen anyway.
func viewScreen(ctx context.Context, e *env.Env, address string) error {
	c, err := check.DialVNC(ctx, dialTCP(address), check.VNCOptions{Password: vncPassword})
	if err != nil {
		return err
	}
	defer c.Close()
	e.Step("screen taken", "name", c.Name(), "size", c.Bounds().Size())
	empty := typedArea(c.Screen())
	var shown []string
	for _, word := range []string{"hello", "world"} {
		if err := c.Type(ctx, word); err != nil {
			return err
		}
		screen, err := c.Await(ctx, func(screen *image.RGBA) bool { return settled(screen, empty, len(word)) })
		if err != nil {
			return fmt.Errorf("typing %q: the screen does not show it: %w", word, err)
		}
		shown = append(shown, typedArea(screen))
		if err := e.KeepImage(word+".png", screen); err != nil {
			return err
		}
		if err := c.Type(ctx, strings.Repeat("\b", len(word))); err != nil {
			return err
		}
		if _, err := c.Await(ctx, func(screen *image.RGBA) bool { return typedArea(screen) == empty }); err != nil {
			return fmt.Errorf("deleting %q: it is still on the screen: %w", word, err)
		}
	}
	if shown[0] == shown[1] {
		return errors.New("two different words look the same on the screen")
	}
	e.Step("typed text appeared and went")
	return nil
}

// typedArea is the part of the screen that typing changes.
func typedArea(screen *image.RGBA) string {
	area := image.NewRGBA(panel.EntryArea)
	draw.Draw(area, area.Bounds(), screen, area.Bounds().Min, draw.Src)
	return string(area.Pix)
}

// settled tells whether text of at least n cells is shown beyond what is on an empty screen: columns of pixels that differ, in cells of a
// fixed-width font of 10 pixels or more. The last key's picture has then come too.
func settled(screen *image.RGBA, empty string, n int) bool {
	now := typedArea(screen)
	first, last := -1, -1
	width := panel.EntryArea.Dx()
	for i := 0; i+4 <= len(now); i += 4 {
		if now[i:i+4] == empty[i:i+4] {
			continue
		}
		x := i / 4 % width
		if first < 0 || x < first {
			first = x
		}
		last = max(last, x)
	}
	return first >= 0 && last-first >= (n-1)*10
}
