package tunnel

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func dialTunnel(t *testing.T, tunnel *Tunnel) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", tunnel.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn.(*net.TCPConn)
}

// The client ends first: the server sees close_notify, and its whole answer still comes.
func TestClientClosesFirst(t *testing.T) {
	ca := newAuthority(t)
	addr := serveTLS(t, ca.leaf(t, nil), func(conn *tls.Conn) {
		request, err := io.ReadAll(conn)
		if err == nil {
			io.WriteString(conn, strings.ToUpper(string(request)))
		}
	})
	client := dialTunnel(t, start(t, Config{Connect: addr, CAFile: ca.file}))
	if _, err := io.WriteString(client, "is anybody there?"); err != nil {
		t.Fatal(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(client)
	if err != nil || string(answer) != "IS ANYBODY THERE?" {
		t.Errorf("%q, %v", answer, err)
	}
}

// The server ends first: the client sees FIN, and what it says after still arrives.
func TestServerClosesFirst(t *testing.T) {
	ca := newAuthority(t)
	got := make(chan string, 1)
	addr := serveTLS(t, ca.leaf(t, nil), func(conn *tls.Conn) {
		io.WriteString(conn, "bye")
		conn.CloseWrite()
		rest, _ := io.ReadAll(conn)
		got <- string(rest)
	})
	client := dialTunnel(t, start(t, Config{Connect: addr, CAFile: ca.file}))
	if said, err := io.ReadAll(client); err != nil || string(said) != "bye" {
		t.Fatalf("%q, %v", said, err)
	}
	if _, err := io.WriteString(client, "last words"); err != nil {
		t.Fatal(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	select {
	case rest := <-got:
		if rest != "last words" {
			t.Errorf("the server got %q", rest)
		}
	case <-time.After(patience):
		t.Error("the server saw no end")
	}
}

// Ending Run ends connections that do nothing.
func TestRunEndsConnections(t *testing.T) {
	ca := newAuthority(t)
	addr := serveTLS(t, ca.leaf(t, nil), func(conn *tls.Conn) { io.Copy(conn, conn) })
	tunnel, err := New(Config{Connect: addr, CAFile: ca.file})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tunnel.Run(ctx) }()
	<-tunnel.Ready()
	client := dialTunnel(t, tunnel)
	if _, err := io.WriteString(client, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		t.Error("Run does not end")
	}
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
}

func TestGroup(t *testing.T) {
	ca := newAuthority(t)
	addr := serveTLS(t, ca.leaf(t, nil), func(conn *tls.Conn) { io.Copy(conn, conn) })
	g, err := NewGroup([]Config{{Name: "a", Connect: addr, CAFile: ca.file}, {Name: "b", Connect: addr, CAFile: ca.file}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	<-g.Ready()
	if a, b := g.Tunnels()[0].Addr().String(), g.Tunnels()[1].Addr().String(); a == b {
		t.Errorf("both accept on %s", a)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// One service that cannot start ends the others, and says which it was.
func TestGroupFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	g, err := NewGroup([]Config{{Name: "good", Connect: "127.0.0.1:1"}, {Name: "bad", Connect: "127.0.0.1:1", Accept: taken.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	err = g.Run(context.Background())
	if want := "service [bad]: cannot accept on " + taken.Addr().String() + ": another program uses the port"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if Hint(err) == "" {
		t.Error("no hint")
	}
	if _, err := NewGroup(nil); err == nil {
		t.Error("no error for no service")
	}
}
