package console

import (
	"context"
	"io"
	"sync"

	"github.com/coder/websocket"
)

// serveVNC carries bytes both ways: the browser speaks RFB (RFC 6143) itself.
func (c *Console) serveVNC(ctx context.Context, s *socket) error {
	device, err := c.dial(ctx, s)
	if err != nil {
		return err
	}
	var up sync.WaitGroup
	up.Go(func() { // ends with either side: each copy's end closes the other's
		s.pass(ctx, device)
		device.Close()
	})
	io.Copy(deviceOutput{ctx, s}, device)
	device.Close()                             // where it is the browser that took no more
	s.Close(websocket.StatusNormalClosure, "") // in order, so that the browser asks the audit log why
	up.Wait()
	return nil
}

// pass writes what the browser sends to the device, until one of them ends, or the browser does not keep to bytes.
func (s *socket) pass(ctx context.Context, device io.Writer) {
	for {
		m, err := s.next(ctx)
		if err != nil || m.kind != websocket.MessageBinary {
			return
		}
		if _, err := device.Write(m.body); err != nil {
			return
		}
	}
}
