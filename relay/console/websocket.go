package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// A WebSocket carries bytes of the device in binary messages, and in text messages JSON objects about the connection itself. The browser asks for
// the mapping in the query; the first message of the console is "connected" or "error":
//
//	{"type": "connected", "connectionId": "..."}    the device is connected; the id leads to the audit log
//	{"type": "error", "code": "R11", "message": ..., "detail": ...}    it is not, or not any more
//
// SSH and Modbus add their own, which their files describe.

// maxMessage is the longest message that a browser sends.
const maxMessage = 1 << 20

// writeTimeout bounds how long a browser may take for one message: one that reads no more is not waited for. A radio link may be away for a while.
const writeTimeout = 30 * time.Second

// socket is one WebSocket. It is read all the time, so that a browser that leaves is noticed also while nothing is expected of it.
type socket struct {
	*websocket.Conn
	req *http.Request // as the API would get it, with the user's credentials; its context ends when the browser leaves

	mapping netip.AddrPort
	heard   chan message // closed when the browser has left
}

// message is one of the browser.
type message struct {
	kind websocket.MessageType
	body []byte
}

// errLeft is that no more messages come.
var errLeft = errors.New("the browser has left")

// socket makes the handler of a WebSocket. serve ends when ctx does; an error is told to the browser.
func (c *Console) socket(serve func(ctx context.Context, s *socket) error) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		mapping, err := netip.ParseAddrPort(req.URL.Query().Get("mapping"))
		if err != nil {
			writeError(w, http.StatusBadRequest, "mapping must be an address and port")
			return
		}
		ctx, cancel := context.WithCancel(context.WithoutCancel(req.Context()))
		defer cancel()
		stop := context.AfterFunc(c.ctx, cancel)
		defer stop()
		present, leave := context.WithCancel(ctx)
		defer leave()
		out := req.Clone(present)
		if !withCredentials(out, req) {
			writeError(w, http.StatusUnauthorized, "sign in first")
			return
		}
		out.Header.Set("X-Soracom-Lang", req.URL.Query().Get("lang"))
		conn, err := websocket.Accept(w, req, &websocket.AcceptOptions{Subprotocols: []string{socketProtocol}}) // takes this origin only
		if err != nil {
			c.log.Debug("a WebSocket is refused", "error", err)
			return
		}
		defer conn.CloseNow()
		conn.SetReadLimit(maxMessage)
		s := &socket{conn, out, mapping, make(chan message)}
		var listening sync.WaitGroup
		listening.Go(func() { // ends when the browser leaves, or with ctx
			s.listen(ctx)
			leave()
		})
		err = serve(ctx, s)
		var refusal *Refusal
		if errors.As(err, &refusal) {
			s.tell(ctx, "error", refusal) // an error means that the browser has gone
		} else if err != nil {
			c.log.Debug("a WebSocket ends", "error", err)
		}
		conn.Close(websocket.StatusNormalClosure, "")
		cancel()
		listening.Wait()
	}
}

// listen reads until the browser leaves.
func (s *socket) listen(ctx context.Context) {
	defer close(s.heard)
	for {
		kind, b, err := s.Read(ctx)
		if err != nil {
			return
		}
		select {
		case s.heard <- message{kind, b}:
		case <-ctx.Done():
			return
		}
	}
}

// next is the next message of the browser.
func (s *socket) next(ctx context.Context) (message, error) {
	select {
	case m, ok := <-s.heard:
		if !ok {
			return m, errLeft
		}
		return m, nil
	case <-ctx.Done():
		return message{}, ctx.Err()
	}
}

// send writes a message; too slow a browser loses its WebSocket.
func (s *socket) send(ctx context.Context, kind websocket.MessageType, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return s.Write(ctx, kind, b)
}

// deviceOutput writes what a device says.
type deviceOutput struct {
	ctx context.Context
	s   *socket
}

func (w deviceOutput) Write(p []byte) (int, error) {
	if err := w.s.send(w.ctx, websocket.MessageBinary, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// dial connects to the device through the mapping, and tells the browser.
func (c *Console) dial(ctx context.Context, s *socket) (*Connection, error) {
	conn, err := c.cfg.Dial(s.req, s.mapping)
	if err != nil {
		return nil, err
	}
	if err := s.tell(ctx, "connected", map[string]string{"connectionId": conn.ID}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// tell sends a control message: the fields of an object, with its type.
func (s *socket) tell(ctx context.Context, kind string, fields any) error {
	b, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	typed := []byte(`{"type":"` + kind + `"`)
	if len(b) > len("{}") {
		typed = append(append(typed, ','), b[1:]...)
	} else {
		typed = append(typed, '}')
	}
	return s.send(ctx, websocket.MessageText, typed)
}

// hear reads the next control message.
func (s *socket) hear(ctx context.Context, into any) error {
	m, err := s.next(ctx)
	if err != nil {
		return err
	}
	if m.kind != websocket.MessageText {
		return errors.New("a binary message came where a control message is due")
	}
	return json.Unmarshal(m.body, into)
}
