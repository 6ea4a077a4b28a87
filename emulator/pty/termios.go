package pty

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// makeRaw is cfmakeraw(3) at 115200 bit/s: eight bits, no echo, nothing translated.
func makeRaw(f *os.File) error {
	return control(f, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
		if err != nil {
			return fmt.Errorf("reading the terminal mode: %w", err)
		}
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag &^= unix.CSIZE | unix.PARENB | unix.CBAUD
		t.Cflag |= unix.CS8 | unix.B115200
		t.Ispeed, t.Ospeed = 115200, 115200
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		if err := unix.IoctlSetTermios(fd, unix.TCSETS2, t); err != nil {
			return fmt.Errorf("setting the terminal mode: %w", err)
		}
		return nil
	})
}

// Speed is the line speed in bit/s that the user of the device has set; 0 is B0, with which a program lets DTR fall.
func (p *Port) Speed() (int, error) {
	speed := 0
	err := control(p.current(), func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS2) // on a master this is the slave's
		if err != nil {
			return fmt.Errorf("reading the line speed: %w", err)
		}
		speed = int(t.Ospeed)
		if t.Cflag&unix.CBAUD == unix.B0 {
			speed = 0
		}
		return nil
	})
	return speed, err
}

func slaveName(master *os.File) (string, error) {
	name := ""
	err := control(master, func(fd int) error {
		n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
		if err != nil {
			return fmt.Errorf("naming a pseudo-terminal: %w", err)
		}
		name = "/dev/pts/" + strconv.FormatUint(uint64(n), 10)
		return nil
	})
	return name, err
}

func flushInput(slave *os.File) error {
	return control(slave, func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) })
}

// control runs an ioctl without taking the file from the poller, as File.Fd would.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = do(int(fd)) }); err != nil {
		return err
	}
	return inner
}
