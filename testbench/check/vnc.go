package check

import (
	"context"
	"fmt"
)

// VNCOptions of "vnc": log in and take the screen; with Type also type and wait for a change.
type VNCOptions struct {
	Password string // "": security type None is expected
	Type     string // text to type; "\n" is Return
}

// VNC logs in, takes the screen, and where asked types and waits until the screen changes.
func VNC(ctx context.Context, dial Dial, o Options) (Result, error) {
	return run(ctx, "vnc", o, func(ctx context.Context, r *recorder) error {
		r.begin("connecting and taking the screen")
		client, err := DialVNC(ctx, dial, o.VNC)
		if err != nil {
			return err
		}
		defer client.Close()
		screen := client.Screen()
		r.res.Screen = screen
		summary := fmt.Sprintf("%q shows %d x %d pixels, %d colours", client.Name(), client.Bounds().Dx(), client.Bounds().Dy(), colors(screen))
		r.logf("%s", summary)
		if o.VNC.Type != "" {
			r.begin("typing")
			if err := client.Type(ctx, o.VNC.Type); err != nil {
				return err
			}
			r.begin("waiting for the screen to change")
			if screen, err = client.AwaitChange(ctx, screen); err != nil {
				return err
			}
			r.res.Screen = screen
			summary += ", and changes after typing"
		}
		r.summaryf("%s", summary)
		return nil
	})
}
