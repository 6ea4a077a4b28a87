package tty

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openPTY gives a master and a symlink to its slave.
func openPTY(t *testing.T) (*os.File, string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "at")
	if err := os.Symlink(slave.Name(), link); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	t.Cleanup(func() { master.Close() })
	return master, link
}

func open(t *testing.T, path string) *Port {
	t.Helper()
	p, err := Open(Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestBytesPassUnchanged(t *testing.T) {
	master, path := openPTY(t)
	p := open(t, path)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, way := range []struct {
		name string
		w    io.Writer
		r    io.Reader
	}{{"to the modem", p, master}, {"from the modem", master, p}} {
		if _, err := way.w.Write(all); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(all))
		if _, err := io.ReadFull(way.r, got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(all, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", way.name, d)
		}
	}
}

func TestHangUpIsEOF(t *testing.T) {
	master, path := openPTY(t)
	p := open(t, path)
	done := make(chan error)
	go func() {
		_, err := p.Read(make([]byte, 1))
		done <- err
	}()
	master.Close()
	if err := <-done; err != io.EOF {
		t.Errorf("Read: %v, want EOF", err)
	}
	if _, err := p.Write([]byte("AT\r")); err != io.EOF {
		t.Errorf("Write: %v, want EOF", err)
	}
}

// A line that nobody reads blocks a write until Close, or until the deadline, and not longer.
func TestFullLine(t *testing.T) {
	master, path := openPTY(t)
	defer master.Close()
	p := open(t, path)
	go func() { // ends with the first octet
		master.Read(make([]byte, 1))
		p.SetWriteDeadline(time.Now())
	}()
	if n, err := p.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 1<<20 {
		t.Fatalf("wrote %d, %v", n, err)
	}
	p.SetWriteDeadline(time.Time{})
	done := make(chan error)
	go func() {
		_, err := p.Write(make([]byte, 1<<20))
		done <- err
	}()
	p.Close()
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write: %v", err)
	}
}

func TestSecondOpenerIsToldWho(t *testing.T) {
	_, path := openPTY(t)
	p := open(t, path)
	_, err := Open(Config{Path: path})
	var te *Error
	if !errors.Is(err, ErrBusy) || !errors.As(err, &te) {
		t.Fatalf("got %v", err)
	}
	if te.Holder == nil || te.Holder.PID != os.Getpid() || !strings.Contains(err.Error(), te.Holder.Program) {
		t.Errorf("holder %v, message %q", te.Holder, err)
	}
	if te.Hint() == "" {
		t.Error("no hint")
	}
	p.Close()
	open(t, path)
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		cfg  Config
		want error
	}{
		{"missing", Config{Path: filepath.Join(t.TempDir(), "ttyUSB9")}, ErrNotFound},
		{"no tty", Config{Path: file}, ErrNotTTY},
		{"baud", Config{Path: file, Baud: -1}, nil},
	}
	for _, tt := range tests {
		_, err := Open(tt.cfg)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if e := classify("/dev/x", "/dev/x", os.ErrPermission).(*Error); !strings.Contains(e.Hint(), "dialout") {
		t.Errorf("permission: hint %q", e.Hint())
	}
}

func TestModemLinesOfAPTY(t *testing.T) {
	_, path := openPTY(t)
	p := open(t, path)
	if err := p.SetDTR(false); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SetDTR: %v", err)
	}
	if _, err := p.DCD(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("DCD: %v", err)
	}
}

func TestUUCPLock(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "LCK..ttyUSB2")
	write := func(s string) {
		if err := os.WriteFile(name, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, stale := range []string{"", "not a number\n", " 999999999\n", "0\n"} {
		write(stale)
		unlock, holder, err := lockUUCP(dir, "/dev/ttyUSB2")
		if err != nil || holder != nil {
			t.Fatalf("stale lock %q: %v, %v", stale, holder, err)
		}
		if got := readLock(name); got != os.Getpid() {
			t.Errorf("lock file says %d", got)
		}
		unlock()
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the lock file stays: %v", err)
		}
	}
	write("         1\n")
	_, holder, err := lockUUCP(dir, "/dev/ttyUSB2")
	if err != nil || holder == nil || holder.PID != 1 {
		t.Errorf("living holder: %v, %v", holder, err)
	}
	if _, holder, err := lockUUCP(filepath.Join(dir, "absent"), "/dev/ttyUSB2"); holder != nil || err != nil {
		t.Errorf("no directory: %v, %v", holder, err)
	}
}

func TestFindWithoutUSB(t *testing.T) {
	if got, err := Find(fstest.MapFS{}); got == nil || len(got) != 0 || err != nil {
		t.Errorf("got %#v, %v; want an empty list", got, err)
	}
}

func TestFind(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s + "\n")} }
	sys := fstest.MapFS{
		"bus/usb/devices/1-1.3/idVendor":                  file("2c7c"),
		"bus/usb/devices/1-1.3/idProduct":                 file("0125"),
		"bus/usb/devices/1-1.3/manufacturer":              file("Quectel"),
		"bus/usb/devices/1-1.3/product":                   file("EG25-G"),
		"bus/usb/devices/1-1.3:1.2/bInterfaceNumber":      file("02"),
		"bus/usb/devices/1-1.3:1.2/ttyUSB2/port_number":   file("0"),
		"bus/usb/devices/1-1.3:1.3/bInterfaceNumber":      file("03"),
		"bus/usb/devices/1-1.3:1.3/ttyUSB3/port_number":   file("0"),
		"bus/usb/devices/1-1.4/idVendor":                  file("1111"),
		"bus/usb/devices/1-1.4/idProduct":                 file("2222"),
		"bus/usb/devices/1-1.4:1.0/bInterfaceNumber":      file("00"),
		"bus/usb/devices/1-1.4:1.0/tty/ttyACM0/dev":       file("166:0"),
		"bus/usb/devices/usb1/idVendor":                   file("1d6b"),
		"bus/usb/devices/1-1.5:1.0/bInterfaceNumber":      file("zz"),
		"bus/usb/devices/1-1.5:1.0/ttyUSB9/port_number":   file("0"),
		"bus/usb/devices/1-1.6:1.0/net/wwan0/somewhere":   file(""),
		"bus/usb/devices/1-1.3:1.0/not-a-tty/port_number": file("0"),
	}
	got, err := Find(sys)
	if err != nil {
		t.Fatal(err)
	}
	want := []Device{
		{Path: "/dev/ttyACM0", Bus: "1-1.4", USB: "1111:2222", Interface: 0},
		{Path: "/dev/ttyUSB2", Bus: "1-1.3", USB: "2c7c:0125", Product: "Quectel EG25-G", Interface: 2, Role: "at"},
		{Path: "/dev/ttyUSB3", Bus: "1-1.3", USB: "2c7c:0125", Product: "Quectel EG25-G", Interface: 3, Role: "ppp"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
