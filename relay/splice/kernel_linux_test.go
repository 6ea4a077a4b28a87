package splice

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
)

// bytesRead is what this process has read by read(2) and its kin; splice(2) does not count (proc(5), rchar).
func bytesRead(t *testing.T) (n int64) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(strings.Split(string(b), "\n")[0], "rchar: %d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestKernelMovesBytes: between two TCP connections the session itself reads next to nothing.
func TestKernelMovesBytes(t *testing.T) {
	const size = 64 << 20
	for _, tt := range []struct {
		name string
		far  func(testing.TB) pair
		max  int64 // read by the session, in percent of size
		min  int64
	}{
		{"tcp", tcpPair, 20, 0},
		{"wrapped", func(t testing.TB) pair { p := tcpPair(t); p.near = NewGatherConn(p.near); return p }, 110, 90},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, target := tt.far(t), tcpPair(t)
			_, wait := run(t, t.Context(), client, target, Config{})
			before := bytesRead(t)
			var ends sync.WaitGroup
			ends.Go(func() {
				io.Copy(client.far, io.LimitReader(endless{}, size))
				client.far.(halfCloser).CloseWrite()
			})
			ends.Go(func() {
				io.Copy(struct{ io.Writer }{io.Discard}, target.far)
				target.far.Close()
			})
			ends.Wait()
			if r := wait(); r.Up != size {
				t.Fatalf("result %+v", r)
			}
			read := (bytesRead(t) - before - size) * 100 / size // the test read all of it once
			if read > tt.max || read < tt.min {
				t.Errorf("the session read %d%% of the bytes itself, want %d to %d%%", read, tt.min, tt.max)
			}
		})
	}
}
