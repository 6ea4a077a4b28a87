//go:build !linux

package splice

import "net"

// unsent cannot be told here.
func unsent(net.Conn) int64 { return 0 }

// wasReset cannot be told here either.
func wasReset(net.Conn) bool { return false }
