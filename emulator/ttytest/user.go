// Package ttytest is the user of a modem's port, for tests: commands by text, then perhaps a data call.
package ttytest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Patience is how long anything may take on a slow machine.
const Patience = 30 * time.Second

// User has a port open.
type User struct {
	t testing.TB
	f port
	r *bufio.Reader
}

// port is a file or a connection.
type port interface {
	io.ReadWriteCloser
	syscall.Conn
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// Open opens the port until the end of the test.
func Open(t testing.TB, path string) *User {
	t.Helper()
	// Non-blocking, so that the runtime's poller has it and deadlines work.
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	return newUser(t, f)
}

// Dial connects to a socket port until the end of the test.
func Dial(t testing.TB, network, addr string) *User {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	return newUser(t, c.(port))
}

func newUser(t testing.TB, f port) *User {
	t.Cleanup(func() { f.Close() })
	return &User{t, f, bufio.NewReaderSize(f, 64<<10)}
}

// Close lets go of the port, as the end of a process does.
func (u *User) Close() { u.f.Close() }

// Send writes text.
func (u *User) Send(text string) {
	u.t.Helper()
	if _, err := u.Write([]byte(text), Patience); err != nil {
		u.t.Fatal(err)
	}
}

// Write writes what the modem takes within d.
func (u *User) Write(b []byte, d time.Duration) (int, error) {
	u.f.SetWriteDeadline(time.Now().Add(d))
	defer u.f.SetWriteDeadline(time.Time{})
	return u.f.Write(b)
}

// SetSpeed sets the line speed in bit/s.
func (u *User) SetSpeed(speed uint32) {
	u.t.Helper()
	raw, err := u.f.SyscallConn()
	if err != nil {
		u.t.Fatal(err)
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		var mode *unix.Termios
		if mode, inner = unix.IoctlGetTermios(int(fd), unix.TCGETS2); inner == nil {
			mode.Cflag = mode.Cflag&^unix.CBAUD | unix.BOTHER
			mode.Ispeed, mode.Ospeed = speed, speed
			inner = unix.IoctlSetTermios(int(fd), unix.TCSETS2, mode)
		}
	})
	if err != nil || inner != nil {
		u.t.Fatal(err, inner)
	}
}

// Await reads up to and with the text, and gives it all.
func (u *User) Await(text string) string {
	u.t.Helper()
	u.f.SetReadDeadline(time.Now().Add(Patience))
	defer u.f.SetReadDeadline(time.Time{})
	var got []byte
	for !bytes.HasSuffix(got, []byte(text)) {
		c, err := u.r.ReadByte()
		if err != nil {
			u.t.Fatalf("waiting for %q: %v, after %q", text, err, got)
		}
		got = append(got, c)
	}
	return string(got)
}

// Quiet gives what comes within d, which is how long the line is watched: choose it so that a slow machine only proves less.
func (u *User) Quiet(d time.Duration) string {
	u.t.Helper()
	u.f.SetReadDeadline(time.Now().Add(d))
	defer u.f.SetReadDeadline(time.Time{})
	var got []byte
	for {
		c, err := u.r.ReadByte()
		if err != nil {
			return string(got)
		}
		got = append(got, c)
	}
}

// Read gives what one read of the port brings.
func (u *User) Read() string {
	u.t.Helper()
	u.f.SetReadDeadline(time.Now().Add(Patience))
	defer u.f.SetReadDeadline(time.Time{})
	b := make([]byte, 64<<10)
	n, err := u.r.Read(b)
	if err != nil {
		u.t.Fatal(err)
	}
	return string(b[:n])
}

// AwaitEnd returns when the device is gone.
func (u *User) AwaitEnd() {
	u.t.Helper()
	u.f.SetReadDeadline(time.Now().Add(Patience))
	for {
		if _, err := u.r.ReadByte(); os.IsTimeout(err) {
			u.t.Fatal("the device does not go away")
		} else if err != nil {
			return
		}
	}
}

// AT sends a command and gives what comes back up to its final result.
func (u *User) AT(command string) string {
	u.t.Helper()
	u.Send(command + "\r")
	return u.Answer()
}

// Answer gives what comes up to a final result.
func (u *User) Answer() string {
	u.t.Helper()
	u.f.SetReadDeadline(time.Now().Add(Patience))
	defer u.f.SetReadDeadline(time.Time{})
	var all strings.Builder
	for {
		line, err := u.r.ReadString('\n')
		all.WriteString(line)
		if err != nil {
			u.t.Fatalf("waiting for a final result: %v, after %q", err, all.String())
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "OK" || line == "ERROR" || line == "NO CARRIER" || strings.HasPrefix(line, "+CME ERROR") || strings.HasPrefix(line, "CONNECT") {
			return all.String()
		}
	}
}

// Registered waits until the modem may dial. What a boot says comes before, and where the modem boots and registers during the last of these
// commands, behind its OK: one more command has it all read.
func (u *User) Registered() {
	u.t.Helper()
	u.AwaitAnswer("AT+CEREG?", ",1")
	u.AT("AT")
}

// AwaitAnswer asks until the answer has the text in it.
func (u *User) AwaitAnswer(command, text string) {
	u.t.Helper()
	deadline := time.Now().Add(Patience)
	for got := u.AT(command); !strings.Contains(got, text); got = u.AT(command) {
		if time.Now().After(deadline) {
			u.t.Fatalf("%s: no %q, but %q", command, text, got)
		}
	}
}
