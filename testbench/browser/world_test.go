package browser

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"minato/targets/rfb"
	"minato/testbench/check"
	"minato/testbench/env"
)

// newWorld serves what a story cannot do in a browser: what another client sees of the device, and trouble in the network.
func newWorld(t *testing.T, e *env.Env) *httptest.Server {
	t.Helper()
	c, err := e.Client(0)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := c.Roots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	handle := func(pattern string, serve func(w http.ResponseWriter, req *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) {
			if err := serve(w, req); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	// The screen as go-vnc sees it through TLS, which shares no code with noVNC.
	handle("GET /screen/{endpoint}", func(w http.ResponseWriter, req *http.Request) error {
		v, err := check.DialVNC(req.Context(), dialer(req.PathValue("endpoint"), roots), check.VNCOptions{})
		if err != nil {
			return err
		}
		err = png.Encode(w, v.Screen())
		return errors.Join(err, v.Close())
	})
	handle("POST /offline", func(_ http.ResponseWriter, req *http.Request) error {
		return e.Inject(req.Context(), "registration-denied", nil)
	})
	handle("POST /online", func(_ http.ResponseWriter, req *http.Request) error {
		return e.ClearFaults(req.Context())
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// dialer connects to a mapping with the TLS option from the browser's address.
func dialer(endpoint string, roots *x509.CertPool) check.Dial {
	return func(ctx context.Context) (net.Conn, error) {
		d := tls.Dialer{Config: &tls.Config{RootCAs: roots}}
		return d.DialContext(ctx, "tcp", endpoint)
	}
}

// vncPassword opens the locked screen. VNC authentication takes eight characters (RFC 6143 section 7.2.2).
const vncPassword = "open1234"

// lockedScreen serves a screen that asks for a password, and gives its address.
func lockedScreen(t *testing.T) string {
	t.Helper()
	server, err := rfb.NewServer(rfb.Config{Name: "locked", Framebuffer: rfb.NewFramebuffer(320, 200), Password: vncPassword})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }() // ends with ctx
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}
