package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"minato/testbench/check"
	"minato/testbench/env"
)

var linkLoss = Scenario{
	Name: "link-loss",
	Doc:  "NO CARRIER in the middle of a transfer cuts it; the agent dials again by itself, and a new connection through the same mapping works.",
	On:   both,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{TLS: true})
		if err != nil {
			return err
		}
		return loseLink(ctx, e, m)
	},
}

// loseLink cuts the carrier in the middle of a transfer from the device's page, and waits for the page to be back.
func loseLink(ctx context.Context, e *env.Env, m *env.Mapping) error {
	c, err := m.DialTLS(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	req, err := http.NewRequest(http.MethodGet, "http://device/bytes/1000000000", nil)
	if err != nil {
		return err
	}
	if err := req.Write(c); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, c, 1<<20); err != nil {
		return fmt.Errorf("reading the first MiB of a large file: %w", err)
	}
	before, err := e.ReadSIM(ctx)
	if err != nil {
		return err
	}
	lost := time.Now()
	if err := e.Inject(ctx, "no-carrier", nil); err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if n, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) || n >= 999_000_000 {
		return fmt.Errorf("the transfer went on for %d bytes after the link was lost (%v)", n, err)
	}
	if _, err := e.AwaitOnline(ctx, before.Since); err != nil {
		return err
	}
	e.Step("the device is back", "after", time.Since(lost).Round(time.Millisecond))
	// The network shows the session a moment before the agent's services listen on it.
	return env.Await(ctx, "the page of the device", func() (bool, error) {
		err := run(ctx, e, m, "http", check.Options{})
		return err == nil, err
	})
}
