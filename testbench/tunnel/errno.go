//go:build !windows

package tunnel

import "syscall"

const (
	errAddrInUse    = syscall.EADDRINUSE
	errAddrNotAvail = syscall.EADDRNOTAVAIL
	errAccess       = syscall.EACCES
	errRefused      = syscall.ECONNREFUSED
	errReset        = syscall.ECONNRESET
)
