package linkmode

import (
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// A tap is a modem's AT port with an ear on the line.
type tap struct {
	path string

	mu   sync.Mutex
	said string // by the agent
}

// startTap makes a PTY whose other end is the modem's socket.
func startTap(t *testing.T, modem string) *tap {
	t.Helper()
	blocking, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	defer blocking.Close()
	fd, err := syscall.Dup(int(blocking.Fd())) // that package leaves its file blocking, so that closing would not end a Read
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	master := os.NewFile(uintptr(fd), "ptmx")
	line, err := net.Dial("unix", modem)
	if err != nil {
		t.Fatal(err)
	}
	tp := &tap{path: slave.Name()}
	var copying sync.WaitGroup
	// Heard before the modem can answer: what a test waits for is the answer.
	copying.Go(func() { io.Copy(io.MultiWriter(tp, line), master); line.Close() })
	copying.Go(func() { io.Copy(master, line); master.Close() })
	t.Cleanup(func() { master.Close(); line.Close(); copying.Wait() })
	return tp
}

// Write implements io.Writer, for what the agent says.
func (t *tap) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said += string(p)
	return len(p), nil
}

// commands are those with one of these beginnings, in order.
func (t *tap) commands(beginnings ...string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, cmd := range strings.Split(t.said, "\r") {
		cmd = strings.TrimSpace(cmd)
		for _, b := range beginnings {
			if strings.HasPrefix(cmd, b) {
				out = append(out, cmd)
				break
			}
		}
	}
	return out
}
