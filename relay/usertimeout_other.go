//go:build !linux

package relay

import (
	"net"
	"time"
)

// setUserTimeout has no equal here.
func setUserTimeout(net.Conn, time.Duration) {}
