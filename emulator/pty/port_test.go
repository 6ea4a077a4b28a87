package pty

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *Port {
	t.Helper()
	p, err := Open(filepath.Join(t.TempDir(), "at"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func user(t *testing.T, p *Port) *os.File {
	t.Helper()
	f, err := os.OpenFile(p.Name(), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// say writes as the user and checks that the modem reads just that.
func say(t *testing.T, p *Port, f *os.File, text string) {
	t.Helper()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	p.SetReadDeadline(time.Now().Add(10 * time.Second))
	defer p.SetReadDeadline(time.Time{})
	b := make([]byte, len(text))
	if _, err := io.ReadFull(p, b); err != nil || string(b) != text {
		t.Fatalf("read %q, %v, want %q", b, err, text)
	}
}

func TestPortIsRaw(t *testing.T) {
	p := open(t)
	f := user(t, p)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	say(t, p, f, string(all))
	if _, err := p.Write(all); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(all))
	if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("user read %q, %v", got, err)
	}
}

func TestLastCloseIsOneHangup(t *testing.T) {
	p := open(t)
	for range 20 {
		f := user(t, p)
		say(t, p, f, "AT\r")
		if _, err := p.Write([]byte("unread")); err != nil {
			t.Fatal(err)
		}
		f.Close()
		p.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, err := p.Read(make([]byte, 8)); !errors.Is(err, ErrHangup) {
			t.Fatalf("Read = %d, %v, want ErrHangup", n, err)
		}
		// No further error comes: the port waits for the next user.
		p.SetReadDeadline(time.Now().Add(time.Millisecond))
		if n, err := p.Read(make([]byte, 8)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Read after the hang-up = %d, %v, want a deadline", n, err)
		}
	}
	f := user(t, p)
	if _, err := p.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	n, err := f.Read(b)
	if err != nil || string(b[:n]) != "new" {
		t.Errorf("next user read %q, %v; what the last one left must be gone", b[:n], err)
	}
}

func TestSpeed(t *testing.T) {
	p := open(t)
	f := user(t, p)
	set := func(cflag, speed uint32) {
		t.Helper()
		err := control(f, func(fd int) error {
			tio, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
			if err != nil {
				return err
			}
			tio.Cflag = tio.Cflag&^unix.CBAUD | cflag
			tio.Ispeed, tio.Ospeed = speed, speed
			return unix.IoctlSetTermios(fd, unix.TCSETS2, tio)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name         string
		cflag, speed uint32
		want         int
	}{
		{"fresh", unix.B115200, 115200, 115200},
		{"usual", unix.B9600, 9600, 9600},
		{"unusual", unix.BOTHER, 123456, 123456},
		{"B0 drops DTR", unix.B0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set(tt.cflag, tt.speed)
			if got, err := p.Speed(); err != nil || got != tt.want {
				t.Errorf("Speed = %d, %v, want %d", got, err, tt.want)
			}
		})
	}
}

func TestStalledReader(t *testing.T) {
	p := open(t)
	user(t, p)
	chunk := make([]byte, 4096)
	total := 0
	for {
		n, err := p.TryWrite(chunk)
		if err != nil {
			t.Fatal(err)
		}
		total += n
		if n == 0 {
			break
		}
	}
	if total < 4096 {
		t.Errorf("only %d bytes fit", total)
	}
	done := make(chan error, 1)
	go func() { _, err := p.Write(chunk); done <- err }()
	p.SetWriteDeadline(time.Now())
	if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("blocked Write = %v", err)
	}
	p.SetWriteDeadline(time.Time{})
	go func() { _, err := p.Write(chunk); done <- err }()
	p.Close()
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write at Close = %v", err)
	}
}

// TestLockedDevice is what an unprivileged emulator does when a user died with TIOCEXCL set. Root is never refused, so the step is
// called here.
func TestLockedDevice(t *testing.T) {
	p := open(t)
	say(t, p, user(t, p), "AT\r")
	before, err := os.Readlink(p.Name())
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	err = p.replaceLocked(before)
	p.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if after, err := os.Readlink(p.Name()); err != nil || after == before {
		t.Errorf("the name leads to %q, %v, as before", after, err)
	}
	say(t, p, user(t, p), "AT\r")
}

func TestCloseRemovesOnlyItsOwnName(t *testing.T) {
	link := filepath.Join(t.TempDir(), "at")
	first, err := Open(link)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Open(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(link); err != nil {
		t.Errorf("the second port lost its name: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the name is still there: %v", err)
	}
}

func BenchmarkEcho(b *testing.B) {
	p, err := Open(filepath.Join(b.TempDir(), "at"))
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.OpenFile(p.Name(), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64)
		for {
			n, err := p.Read(buf)
			if err != nil {
				return
			}
			p.Write(buf[:n])
		}
	}()
	buf := make([]byte, 3)
	for b.Loop() {
		f.WriteString("AT\r")
		if _, err := io.ReadFull(f, buf); err != nil {
			b.Fatal(err)
		}
	}
	f.Close()
	<-done
	p.Close()
}

// TestLongWriteBeforeClose has a user write more than the kernel gives in one read, and close: Read gives all of it, and
// tells the close once.
func TestLongWriteBeforeClose(t *testing.T) {
	for range 50 {
		p := open(t)
		f := user(t, p)
		sent := bytes.Repeat([]byte("0123456789abcde\n"), 600)
		if _, err := f.Write(sent); err != nil {
			t.Fatal(err)
		}
		f.Close()
		p.SetReadDeadline(time.Now().Add(time.Minute))
		var got []byte
		b := make([]byte, 6000) // smaller than what there is
		n, err := p.Read(b)
		for ; err == nil; n, err = p.Read(b) {
			got = append(got, b[:n]...)
		}
		if !errors.Is(err, ErrHangup) || !bytes.Equal(got, sent) {
			t.Fatalf("%d of %d octets, %v", len(got), len(sent), err)
		}
		say(t, p, user(t, p), "AT\r")
	}
}
