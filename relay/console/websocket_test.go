package console

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	glssh "github.com/gliderlabs/ssh"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

// patience is for what must happen: it only ends a test that has failed.
const patience = 30 * time.Second

// open opens a WebSocket as the signed-in browser.
func (s *site) open(kind string) (context.Context, *websocket.Conn) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	s.t.Cleanup(cancel)
	ws, resp, err := websocket.Dial(ctx, s.URL+"/console/"+kind+"?mapping=127.0.0.1:10000", s.protocols(nil))
	if err != nil {
		s.t.Fatalf("%v %v", err, resp)
	}
	s.t.Cleanup(func() { ws.CloseNow() })
	return ctx, ws
}

// protocols says who it is as a page does.
func (s *site) protocols(header http.Header) *websocket.DialOptions {
	return &websocket.DialOptions{HTTPClient: s.Client, HTTPHeader: header, Subprotocols: []string{socketProtocol, socketKeyPrefix + s.key}}
}

// next reads a control message.
func next(t *testing.T, ctx context.Context, ws *websocket.Conn) map[string]any {
	t.Helper()
	kind, b, err := ws.Read(ctx)
	if err != nil || kind != websocket.MessageText {
		t.Fatalf("read a message of kind %v, %q, %v, want a control message", kind, b, err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func say(t *testing.T, ctx context.Context, ws *websocket.Conn, message string) {
	t.Helper()
	if err := ws.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

func TestVNC(t *testing.T) {
	s := serve(t, func(c net.Conn) {
		io.WriteString(c, "RFB 003.008\n")
		b := make([]byte, 5)
		io.ReadFull(c, b)
		c.Write(b)
	})
	s.signIn()
	ctx, ws := s.open("vnc")
	if diff := cmp.Diff(map[string]any{"type": "connected", "connectionId": "c1"}, next(t, ctx, ws)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	conn := websocket.NetConn(ctx, ws, websocket.MessageBinary)
	io.WriteString(conn, "hello")
	got, err := io.ReadAll(conn) // to the end that the device makes; the closing frame is a courtesy, which may be overtaken by the end of TCP
	if string(got) != "RFB 003.008\nhello" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestWebSocketRefusals(t *testing.T) {
	t.Run("a device that is not reached", func(t *testing.T) {
		s := serve(t, nil)
		s.signIn()
		ctx, ws := s.open("vnc")
		if diff := cmp.Diff(map[string]any{"type": "error", "code": "R11", "message": "the SIM has no session"}, next(t, ctx, ws)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	for _, tt := range []struct {
		name   string
		signIn bool
		key    bool // the page's half of the session is sent
		header http.Header
		want   int
	}{
		{"nobody signed in", false, true, nil, 401},
		{"the cookie alone", true, false, nil, 401},
		{"another origin", true, true, http.Header{"Origin": {"https://evil.example"}}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(net.Conn) {})
			if tt.signIn {
				s.signIn()
			}
			if !tt.key {
				s.key = ""
			}
			_, resp, err := websocket.Dial(t.Context(), s.URL+"/console/vnc?mapping=127.0.0.1:10000", s.protocols(tt.header))
			if err == nil || resp == nil || resp.StatusCode != tt.want {
				t.Errorf("dialled with %v, %v, want %d", resp, err, tt.want)
			}
		})
	}
}

// sshDevice is an SSH server that echoes in capitals, until a line says exit. It takes a password, where set says nothing else.
func sshDevice(t *testing.T, set ...func(*glssh.Server)) func(net.Conn) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	server := &glssh.Server{
		HostSigners:     []glssh.Signer{signer},
		ChannelHandlers: map[string]glssh.ChannelHandler{"session": glssh.DefaultSessionHandler},
		PasswordHandler: func(_ glssh.Context, password string) bool { return password == "good" },
		Handler: func(s glssh.Session) {
			pty, _, _ := s.Pty()
			b := make([]byte, 64)
			n, err := s.Read(b)
			if err != nil {
				return
			}
			io.WriteString(s, strings.ToUpper(string(b[:n]))+pty.Term)
			s.Exit(3)
		},
	}
	for _, f := range set {
		f(server)
	}
	return server.HandleConn
}

func TestSSH(t *testing.T) {
	s := serve(t, sshDevice(t))
	s.signIn()
	login := `{"user":"field","password":"good","cols":80,"rows":24}`
	for attempt := range 2 {
		ctx, ws := s.open("ssh")
		say(t, ctx, ws, login)
		if m := next(t, ctx, ws); m["type"] != "connected" {
			t.Fatalf("got %v", m)
		}
		if attempt == 0 { // trust on first use, asked once
			m := next(t, ctx, ws)
			if m["type"] != "hostkey" || m["algorithm"] != "ssh-ed25519" || !strings.HasPrefix(m["fingerprint"].(string), "SHA256:") || m["known"] != nil {
				t.Fatalf("got %v, want a question about a new host key", m)
			}
			say(t, ctx, ws, `{"accept":true}`)
		}
		if m := next(t, ctx, ws); m["type"] != "ready" {
			t.Fatalf("got %v", m)
		}
		if err := ws.Write(ctx, websocket.MessageBinary, []byte("hi ")); err != nil {
			t.Fatal(err)
		}
		var shown string
		for shown != "HI xterm-256color" {
			kind, b, err := ws.Read(ctx)
			if err != nil || kind != websocket.MessageBinary {
				t.Fatalf("read %v %q, %v after %q", kind, b, err, shown)
			}
			shown += string(b)
		}
		if diff := cmp.Diff(map[string]any{"type": "exit", "status": 3.0}, next(t, ctx, ws)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestSSHRefusals(t *testing.T) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	withKey, err := json.Marshal(map[string]string{"user": "field", "privateKey": string(pem.EncodeToMemory(block))})
	if err != nil {
		t.Fatal(err)
	}
	password := func(*glssh.Server) {}
	keys := func(s *glssh.Server) {
		s.PasswordHandler = nil
		s.PublicKeyHandler = func(glssh.Context, glssh.PublicKey) bool { return false }
	}
	for _, tt := range []struct {
		name   string
		takes  func(*glssh.Server)
		login  string
		answer string
		code   string
	}{
		{"wrong password", password, `{"user":"field","password":"bad"}`, `{"accept":true}`, "ssh-auth"},
		{"wrong key", keys, string(withKey), `{"accept":true}`, "ssh-auth"},
		{"a password where keys are taken", keys, `{"user":"field","password":"good"}`, `{"accept":true}`, "ssh-keys-only"},
		{"a key where a password is taken", password, string(withKey), `{"accept":true}`, "ssh-no-keys"},
		{"nothing to log in with", password, `{"user":"field"}`, `{"accept":true}`, "ssh-nothing"},
		{"host key not accepted", password, `{"user":"field","password":"good"}`, `{"accept":false}`, "ssh-host-key"},
		{"a key that is none", password, `{"user":"field","privateKey":"nonsense"}`, ``, "ssh-key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, sshDevice(t, tt.takes))
			s.signIn()
			ctx, ws := s.open("ssh")
			say(t, ctx, ws, tt.login)
			for {
				m := next(t, ctx, ws)
				switch m["type"] {
				case "connected":
				case "hostkey":
					say(t, ctx, ws, tt.answer)
				default:
					if m["type"] != "error" || m["code"] != tt.code {
						t.Errorf("got %v, want the error %s", m, tt.code)
					}
					return
				}
			}
		})
	}
}

// A SIM whose device shows another host key than before is asked about with both.
func TestSSHHostKeyChanged(t *testing.T) {
	first, second := sshDevice(t), sshDevice(t)
	devices := []func(net.Conn){first, second}
	s := serve(t, func(c net.Conn) {
		d := devices[0]
		devices = devices[1:]
		d(c)
	})
	s.signIn()
	var known any
	for attempt := range 2 {
		ctx, ws := s.open("ssh")
		say(t, ctx, ws, `{"user":"field","password":"good"}`)
		next(t, ctx, ws) // connected
		m := next(t, ctx, ws)
		if m["type"] != "hostkey" || m["known"] != known || m["fingerprint"] == known {
			t.Errorf("attempt %d: got %v, want a question that names %v as known", attempt, m, known)
		}
		known = m["fingerprint"]
		say(t, ctx, ws, `{"accept":true}`)
		if m := next(t, ctx, ws); m["type"] != "ready" {
			t.Fatalf("got %v", m)
		}
		ws.CloseNow()
	}
}

// Modbus bytes as in the Modbus Application Protocol 1.1b3, sections 6.3, 6.5 and 7.
func TestModbus(t *testing.T) {
	exchange := []struct{ pdu, answer string }{
		{"\x03\x00\x6b\x00\x03", "\x03\x06\x02\x2b\x00\x00\x00\x64"},
		{"\x05\x00\xac\xff\x00", "\x05\x00\xac\xff\x00"},
		{"\x01\x00\x13\x00\x13", "\x01\x03\xcd\x6b\x05"},
		{"\x04\x00\x08\x00\x01", "\x84\x02"},
	}
	s := serve(t, func(c net.Conn) {
		for _, x := range exchange {
			adu := make([]byte, 7+len(x.pdu))
			if _, err := io.ReadFull(c, adu); err != nil {
				return
			}
			if got := string(adu[7:]); got != x.pdu {
				t.Errorf("the device got % x, want % x", got, x.pdu)
			}
			c.Write(append(append(adu[:4:4], 0, byte(1+len(x.answer)), adu[6]), x.answer...))
		}
	})
	s.signIn()
	ctx, ws := s.open("modbus")
	next(t, ctx, ws) // connected
	for _, tt := range []struct {
		ask  string
		want map[string]any
	}{
		{`{"id":1,"unit":17,"table":"holding","address":107,"quantity":3}`, map[string]any{"type": "answer", "id": 1.0, "values": []any{555.0, 0.0, 100.0}}},
		{`{"id":2,"unit":17,"table":"coils","address":172,"values":[1]}`, map[string]any{"type": "answer", "id": 2.0, "values": []any{1.0}}},
		{`{"id":3,"unit":17,"table":"coils","address":19,"quantity":19}`, map[string]any{"type": "answer", "id": 3.0, "values": []any{
			1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0}}},
		{`{"id":4,"unit":17,"table":"input","address":8,"quantity":1}`, map[string]any{"type": "answer", "id": 4.0, "exception": 2.0}},
		{`{"id":5,"unit":17,"table":"input","address":8,"values":[1]}`, map[string]any{"type": "answer", "id": 5.0, "error": `table "input" cannot be used so`}},
	} {
		say(t, ctx, ws, tt.ask)
		if diff := cmp.Diff(tt.want, next(t, ctx, ws)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.ask, diff)
		}
	}
}

func TestModbusEncoding(t *testing.T) {
	bits, words := modbusTables["coils"], modbusTables["holding"]
	if got := words.encode([]uint16{0x0102, 0xfffe}); string(got) != "\x01\x02\xff\xfe" {
		t.Errorf("registers: % x", got)
	}
	// Section 6.11 (Write Multiple Coils): ten coils from CD 01.
	coils := []uint16{1, 0, 1, 1, 0, 0, 1, 1, 1, 0}
	if got := bits.encode(coils); string(got) != "\xcd\x01" {
		t.Errorf("coils: % x", got)
	}
	if diff := cmp.Diff(coils, bits.decode([]byte("\xcd\x01"), 10)); diff != "" {
		t.Errorf("coils (-want +got):\n%s", diff)
	}
	if got := words.decode([]byte{1, 2, 3}, 2); len(got) != 1 {
		t.Errorf("a short answer gives %v", got)
	}
}
