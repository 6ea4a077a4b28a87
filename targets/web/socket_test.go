package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"minato/targets/plc"
)

func TestSocket(t *testing.T) {
	plant := plc.New(plc.Config{})
	url, client := serve(t, Config{Plant: plant})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, _, err := websocket.Dial(ctx, url+"/api/socket", &websocket.DialOptions{HTTPClient: &http.Client{Transport: client.Transport}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	read := func() string {
		t.Helper()
		_, b, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var v plc.Values
	if err := json.Unmarshal([]byte(read()), &v); err != nil || v.Level != 45 {
		t.Errorf("first message: level %v, %v", v.Level, err)
	}
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if got := read(); got != "hello" {
		t.Errorf("answer = %q, want what was said", got)
	}
	for range 5 {
		plant.Step()
	}
	if err := json.Unmarshal([]byte(read()), &v); err != nil || v.Uptime != time.Second {
		t.Errorf("next message: uptime %v, %v", v.Uptime, err)
	}
	if err := c.Write(ctx, websocket.MessageText, []byte(strings.Repeat("x", maxMessage+1))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("after a long message: %v, want status %d", err, websocket.StatusMessageTooBig)
	}
}

// TestSocketOrigin: another site's page cannot read the plant through its visitor's browser.
func TestSocketOrigin(t *testing.T) {
	url, client := serve(t, Config{})
	_, resp, err := websocket.Dial(t.Context(), url+"/api/socket", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: client.Transport}, HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}},
	})
	if err == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page got %v, %v", resp, err)
	}
}

// TestSocketEndsWithServe: a client that stays is told.
func TestSocketEndsWithServe(t *testing.T) {
	var c *websocket.Conn
	t.Run("served", func(t *testing.T) {
		url, client := serve(t, Config{})
		var err error
		if c, _, err = websocket.Dial(t.Context(), url+"/api/socket", &websocket.DialOptions{HTTPClient: &http.Client{Transport: client.Transport}}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
	defer c.CloseNow()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, _, err := c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("after the server's end: %v", err)
	}
}
