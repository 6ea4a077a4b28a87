package web

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/coder/websocket"
)

// maxMessage of a WebSocket client.
const maxMessage = 16 << 10

// socket is the values over a WebSocket (RFC 6455), one message a second, and what the client says comes back to it. It ends with the
// client, with the server, or when the client has stalled.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil) // which answers what is not a good request, or comes from a page of another host
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(maxMessage)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	said := make(chan []byte)
	done := make(chan struct{})
	go func() { // ends with the connection; waited for below
		defer close(done)
		defer cancel()
		for {
			_, message, err := c.Read(ctx)
			if err != nil {
				return
			}
			select {
			case said <- message:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { cancel(); <-done }()

	changes, stop := s.cfg.Plant.Subscribe()
	defer stop()
	values := s.cfg.Plant.Values()
	for {
		message, err := json.Marshal(values)
		if err != nil || write(ctx, c, message) != nil {
			return
		}
		sent := values.Uptime
		for values.Uptime < sent+eventInterval {
			select {
			case <-ctx.Done():
				c.Close(websocket.StatusGoingAway, "") // best effort: the client may be gone
				return
			case message := <-said:
				if write(ctx, c, message) != nil {
					return
				}
			case values = <-changes:
			}
		}
	}
}

func write(ctx context.Context, c *websocket.Conn, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, stallTimeout)
	defer cancel()
	return c.Write(ctx, websocket.MessageText, message)
}
