package neterr

import "syscall"

// Winsock's own numbers: package syscall's E constants are inventions on Windows, which no socket call returns.
const (
	access       = syscall.Errno(10013) // WSAEACCES
	addrInUse    = syscall.Errno(10048) // WSAEADDRINUSE
	addrNotAvail = syscall.Errno(10049) // WSAEADDRNOTAVAIL
	reset        = syscall.Errno(10054) // WSAECONNRESET
	refused      = syscall.Errno(10061) // WSAECONNREFUSED
)
