package agent

import (
	"context"
	"errors"
	"net"
	"testing"
)

// A link that ends before its services are served keeps no port.
func TestNoServiceOutlivesTheLink(t *testing.T) {
	a, err := New(config("/dev/no-such-modem", "127.0.0.1:9"))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a.keepServing(&link{ctx: ctx}, a.services[0], listener, nil)
	if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the port was still open: %v", err)
	}
}
