package conns

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", l.Addr().String(), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(60 * time.Second))
	return c
}

func echo(_ context.Context, c net.Conn) { io.Copy(c, c) }

func roundTrip(t *testing.T, c net.Conn) error {
	t.Helper()
	if _, err := c.Write([]byte{'x'}); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

func TestServeEndsEverything(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	l := listen(t)
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, Config{}, echo) }()
	c := dial(t, l)
	if err := roundTrip(t, c); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v, want nil on cancel", err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection outlived Serve")
	}
}

func TestServeListenerFails(t *testing.T) {
	l := listen(t)
	done := make(chan error, 1)
	go func() { done <- Serve(context.Background(), l, Config{}, echo) }()
	c := dial(t, l)
	if err := roundTrip(t, c); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := <-done; err == nil {
		t.Error("Serve = nil, want the listener's error")
	}
}

func TestServeLimit(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	l := listen(t)
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, Config{Limit: 1}, echo) }()
	first := dial(t, l)
	if err := roundTrip(t, first); err != nil {
		t.Fatal(err)
	}
	if err := roundTrip(t, dial(t, l)); err == nil {
		t.Error("a second connection was served past the limit of 1")
	}
	if err := roundTrip(t, first); err != nil {
		t.Errorf("the first connection suffered: %v", err)
	}
	first.Close()
	for { // the slot is free again as soon as the handler has ended
		if err := roundTrip(t, dial(t, l)); err == nil {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v", err)
	}
}
