package pty

import (
	"errors"
	"syscall"
)

const (
	// fullRead is what one read(2) of a terminal brings at most (Linux, N_TTY_BUF_SIZE less one octet): after it there is more, as a rule.
	fullRead = 4095
	// batchRead bounds what one Read goes on reading: while the modem handles it, the user can write what the kernel keeps, some 20 KiB.
	batchRead = 32 << 10
)

// readOn reads what is there already into b, after a read that was full, and never waits. It tells whether the last user has closed meanwhile.
func readOn(f syscall.Conn, b []byte) (n int, hungUp bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false
	}
	raw.Read(func(fd uintptr) bool {
		for last := fullRead; last >= fullRead && n < len(b); n += last {
			if last, err = syscall.Read(int(fd), b[n:]); err != nil {
				hungUp = errors.Is(err, syscall.EIO)
				break
			}
		}
		return true
	})
	return n, hungUp
}
