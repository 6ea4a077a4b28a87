package agent

import (
	"io"
	"testing"

	"minato/agent/atline"
	"minato/agent/tty"
)

// BenchmarkDataMode is the way of a byte from a PTY's master through port and line discipline, which PPP reads from.
func BenchmarkDataMode(b *testing.B) {
	master, path := openPTY(b)
	port, err := tty.Open(tty.Config{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	line := atline.New(port, atline.Config{})
	defer line.Close()
	go func() {
		master.Read(make([]byte, 64)) // the dial
		io.WriteString(master, "\r\nCONNECT\r\n")
	}()
	data, _, err := line.Connect(b.Context(), "D*99#")
	if err != nil {
		b.Fatal(err)
	}
	chunk := make([]byte, 16<<10)
	b.SetBytes(int64(len(chunk)))
	done := make(chan struct{})
	sink := &countingSink{want: b.N * len(chunk), done: done}
	go data.WriteTo(sink)
	b.ResetTimer()
	for range b.N {
		if _, err := master.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	<-done
}

type countingSink struct {
	want int
	done chan struct{}
}

func (s *countingSink) Write(p []byte) (int, error) {
	if s.want -= len(p); s.want == 0 {
		close(s.done)
	}
	return len(p), nil
}
