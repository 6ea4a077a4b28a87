package scenario

import (
	"context"
	"fmt"
	"io"

	"minato/testbench/env"
)

// download asks the device's page for so many bytes, and counts those that come until the end.
func download(ctx context.Context, m *env.Mapping, size int64) (int64, error) {
	c, err := m.Dialer()(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return 0, err
		}
	}
	if _, err := fmt.Fprintf(c, "GET /bytes/%d HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n", size); err != nil {
		return 0, err
	}
	return io.Copy(io.Discard, c)
}
