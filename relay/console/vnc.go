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
	browser := websocket.NetConn(ctx, s.Conn, websocket.MessageBinary)
	var up sync.WaitGroup
	up.Go(func() { // ends with either side: each copy's end closes the other's
		io.Copy(device, browser)
		device.Close()
	})
	io.Copy(browser, device)
	// In order, so that the browser asks the audit log why. Not by browser's own Close: it first ends the Read above, which would cut the connection.
	s.Close(websocket.StatusNormalClosure, "")
	up.Wait()
	return nil
}
