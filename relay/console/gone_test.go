package console

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	glssh "github.com/gliderlabs/ssh"
)

// pipes is a network without a socket, so that its time can be a test's.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.done); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours, nil
}

// bubble opens a WebSocket of a kind on a console in a synctest bubble, as a signed-in browser.
func bubble(t *testing.T, kind string, dial func(*http.Request, netip.AddrPort) (*Connection, error)) *websocket.Conn {
	t.Helper()
	c, err := New(Config{API: &api{}, HostKeys: &hostKeyMap{}, Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	network := pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: c}
	go server.Serve(network) // ends with Close
	transport := &http.Transport{DialContext: network.dial}
	t.Cleanup(func() { c.Close(); server.Close(); transport.CloseIdleConnections() })
	key, sealed, err := seal("api-1.a.b.c")
	if err != nil {
		t.Fatal(err)
	}
	ws, _, err := websocket.Dial(t.Context(), "ws://relay/console/"+kind+"?mapping=127.0.0.1:10000", &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: transport},
		HTTPHeader:   http.Header{"Cookie": {sessionCookie + "=" + sealed}},
		Subprotocols: []string{socketProtocol, socketKeyPrefix + key},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.CloseNow() })
	return ws
}

// A browser that leaves while the device is dialled ends the dial.
func TestBrowserLeavesTheDial(t *testing.T) {
	for kind, first := range map[string]string{"vnc": "", "modbus": "", "ssh": `{"user":"field","password":"good"}`} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dialling, ended := make(chan struct{}), make(chan struct{})
				ws := bubble(t, kind, func(req *http.Request, _ netip.AddrPort) (*Connection, error) {
					close(dialling)
					select {
					case <-req.Context().Done():
						close(ended)
					case <-time.After(time.Minute):
						t.Error("the device is dialled for nobody")
					}
					return nil, &Refusal{Code: "R10"}
				})
				if first != "" {
					say(t, t.Context(), ws, first)
				}
				<-dialling
				ws.CloseNow()
				synctest.Wait()
				select {
				case <-ended:
				default:
					t.Error("the dial goes on")
				}
			})
		})
	}
}

// buffered is a pipe's end whose writes do not wait for the reader at once: in SSH both sides write first.
type buffered struct {
	net.Conn
	queue  chan []byte
	closed chan struct{}
	once   sync.Once
}

func newBuffered(c net.Conn) *buffered {
	b := &buffered{Conn: c, queue: make(chan []byte, 10), closed: make(chan struct{})}
	go func() { // ends with the connection
		for {
			select {
			case p := <-b.queue:
				if _, err := c.Write(p); err != nil {
					b.Close()
					return
				}
			case <-b.closed:
				return
			}
		}
	}()
	return b
}

func (b *buffered) Write(p []byte) (int, error) {
	select {
	case b.queue <- bytes.Clone(p):
		return len(p), nil
	case <-b.closed:
		return 0, net.ErrClosed
	}
}

func (b *buffered) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Conn.Close()
}

// forever writes until it cannot.
func forever(w io.Writer) {
	for b := make([]byte, 1000); ; {
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

// A browser that takes nothing more loses its WebSocket, and the device its connection.
func TestBrowserThatReadsNoMore(t *testing.T) {
	shell := sshDevice(t, func(s *glssh.Server) { s.Handler = func(s glssh.Session) { forever(s) } })
	connected := func(t *testing.T, ws *websocket.Conn) { next(t, t.Context(), ws) }
	for _, tt := range []struct {
		name, kind string
		device     func(net.Conn)
		begin      func(*testing.T, *websocket.Conn)
	}{
		{"vnc", "vnc", func(c net.Conn) { forever(c) }, connected},
		{"vnc, whose device ends", "vnc", func(c net.Conn) { c.Write(make([]byte, 1000)); c.Close() }, connected},
		{"ssh", "ssh", func(c net.Conn) { shell(newBuffered(c)) }, func(t *testing.T, ws *websocket.Conn) {
			say(t, t.Context(), ws, `{"user":"field","password":"good"}`)
			for _, want := range []string{"connected", "hostkey", "ready"} {
				if m := next(t, t.Context(), ws); m["type"] != want {
					t.Fatalf("got %v, want %s", m, want)
				}
				if want == "hostkey" {
					say(t, t.Context(), ws, `{"accept":true}`)
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan struct{})
				ws := bubble(t, tt.kind, func(*http.Request, netip.AddrPort) (*Connection, error) {
					ours, theirs := net.Pipe()
					go func() { // ends with the connection
						defer close(ended)
						tt.device(theirs)
					}()
					if tt.kind == "ssh" {
						ours = newBuffered(ours)
					}
					return &Connection{Conn: ours, ID: "c1"}, nil
				})
				tt.begin(t, ws)
				time.Sleep(writeTimeout) // of the bubble's time
				synctest.Wait()
				select {
				case <-ended:
				default:
					t.Error("the device's connection goes on")
				}
				if _, b, err := ws.Read(t.Context()); err == nil {
					t.Errorf("the browser is still waited for, with %d bytes", len(b))
				}
			})
		})
	}
}
