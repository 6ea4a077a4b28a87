package dce

import (
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ttyConn is a terminal that a test's user has open.
type ttyConn struct{ *os.File }

func (ttyConn) LocalAddr() net.Addr             { return nil }
func (ttyConn) RemoteAddr() net.Addr            { return nil }
func (c ttyConn) SetDeadline(t time.Time) error { return c.File.SetDeadline(t) }

func setSpeed(t *testing.T, f *os.File, speed uint32) {
	t.Helper()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		tio, err := unix.IoctlGetTermios(int(fd), unix.TCGETS2)
		if err != nil {
			t.Error(err)
			return
		}
		tio.Cflag &^= unix.CBAUD // which is B0
		if speed > 0 {
			tio.Cflag |= unix.BOTHER
		}
		tio.Ispeed, tio.Ospeed = speed, speed
		if err := unix.IoctlSetTermios(int(fd), unix.TCSETS2, tio); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
