package tunnel

import "syscall"

// Winsock's own numbers: package syscall's E constants are inventions on Windows, which no socket call returns.
const (
	errAccess       = syscall.Errno(10013) // WSAEACCES
	errAddrInUse    = syscall.Errno(10048) // WSAEADDRINUSE
	errAddrNotAvail = syscall.Errno(10049) // WSAEADDRNOTAVAIL
	errReset        = syscall.Errno(10054) // WSAECONNRESET
	errRefused      = syscall.Errno(10061) // WSAECONNREFUSED
)
