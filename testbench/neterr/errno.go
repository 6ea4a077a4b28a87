//go:build !windows

package neterr

import "syscall"

const (
	addrInUse    = syscall.EADDRINUSE
	addrNotAvail = syscall.EADDRNOTAVAIL
	access       = syscall.EACCES
	refused      = syscall.ECONNREFUSED
	reset        = syscall.ECONNRESET
)
