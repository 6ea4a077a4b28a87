package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
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

// writeTimeout bounds how long a browser may take for one control message.
const writeTimeout = 10 * time.Second

// socket is one WebSocket.
type socket struct {
	*websocket.Conn
	req *http.Request // as the API would get it, with the user's credentials

	mapping netip.AddrPort
}

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
		out := req.Clone(ctx)
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
		s := &socket{conn, out, mapping}
		err = serve(ctx, s)
		var refusal *Refusal
		if errors.As(err, &refusal) {
			s.tell(ctx, "error", refusal) // an error means that the browser has gone
		} else if err != nil {
			c.log.Debug("a WebSocket ends", "error", err)
		}
		conn.Close(websocket.StatusNormalClosure, "")
	}
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
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return s.Write(ctx, websocket.MessageText, typed)
}

// hear reads the next control message.
func (s *socket) hear(ctx context.Context, into any) error {
	kind, b, err := s.Read(ctx)
	if err != nil {
		return err
	}
	if kind != websocket.MessageText {
		return errors.New("a binary message came where a control message is due")
	}
	return json.Unmarshal(b, into)
}
