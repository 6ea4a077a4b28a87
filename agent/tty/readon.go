package tty

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// fullRead is what one read(2) of a terminal brings at most (Linux, N_TTY_BUF_SIZE less one octet): after it there is more, as a rule.
	fullRead = 4095
	// batchRead bounds what one Read goes on reading. Whoever handles it meanwhile reads nothing, and a pseudo-terminal keeps some 20 KiB.
	batchRead = 32 << 10
)

// readOn reads what is there already into b, after a read that was full, and never waits.
func readOn(f syscall.Conn, b []byte) (n int) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Read(func(fd uintptr) bool {
		for last := fullRead; last >= fullRead && n < len(b); n += last {
			if last, err = unix.Read(int(fd), b[n:]); err != nil {
				break // the next Read meets it again
			}
		}
		return true
	})
	return n
}
