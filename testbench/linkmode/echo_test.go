package linkmode

import (
	"io"
	"net"
	"sync"
	"testing"
)

// startEcho echoes on an address of the system until stop.
func startEcho(t *testing.T, address string) (stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { defer c.Close(); io.Copy(c, c) })
		}
	})
	return func() { l.Close(); serving.Wait() }
}
