package stock

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"minato/emulator/pty"
)

// A recording is what crossed a port, connection by connection. As a text, each line that does not begin with # is
//
//	connection
//	> "what the peer sent"
//	< "what the modem sent"
type recording struct {
	header      string // comment lines
	connections [][]said
}

// said is what one side said before the other did.
type said struct {
	peer bool // rather than the modem
	text string
}

// recorder stands between a peer and a port, and notes what crosses.
type recorder struct {
	path string // where the peer connects

	mu  sync.Mutex // guards rec
	rec recording
}

// startRecorder listens at path and leads to the port until the test ends.
func startRecorder(t testing.TB, path, port string) *recorder {
	t.Helper()
	l, err := pty.ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{path: path}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { // waited for at the test's end
		done <- pty.Serve(ctx, l, func(_ context.Context, s pty.Socket) { r.connection(s, port) })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("recorder: %v", err)
		}
	})
	return r
}

// connection copies both ways until either side ends.
func (r *recorder) connection(peer net.Conn, port string) {
	modem, err := net.Dial("unix", port)
	if err != nil {
		return
	}
	defer modem.Close()
	r.mu.Lock()
	n := len(r.rec.connections)
	r.rec.connections = append(r.rec.connections, nil)
	r.mu.Unlock()
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() {
		defer peer.Close()
		r.copy(n, peer, modem, false)
	})
	defer modem.Close()
	r.copy(n, modem, peer, true)
}

func (r *recorder) copy(n int, to io.Writer, from io.Reader, peer bool) {
	buf := make([]byte, 4096)
	for {
		got, err := from.Read(buf)
		if got > 0 {
			r.note(n, peer, string(buf[:got])) // before it can be answered
			if _, werr := to.Write(buf[:got]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (r *recorder) note(n int, peer bool, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.rec.connections[n]
	if last := len(*c) - 1; last >= 0 && (*c)[last].peer == peer {
		(*c)[last].text += text
		return
	}
	*c = append(*c, said{peer, text})
}

// recording is what crossed so far.
func (r *recorder) recording() recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rec recording
	for _, c := range r.rec.connections {
		if len(c) > 0 { // a peer that only looked whether the port is there
			rec.connections = append(rec.connections, append([]said(nil), c...))
		}
	}
	return rec
}

func (r recording) String() string {
	var b strings.Builder
	b.WriteString(r.header)
	for _, c := range r.connections {
		b.WriteString("connection\n")
		for _, s := range c {
			side := "<"
			if s.peer {
				side = ">"
			}
			fmt.Fprintf(&b, "%s %+q\n", side, s.text)
		}
	}
	return b.String()
}

func readRecording(t testing.TB, path string) recording {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rec recording
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		side, quoted, _ := strings.Cut(line, " ")
		text, err := strconv.Unquote(quoted)
		last := len(rec.connections) - 1
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "connection":
			rec.connections = append(rec.connections, nil)
		case err != nil || last < 0 || side != ">" && side != "<":
			t.Fatalf("%s:%d: %q is no line of a recording", path, n, line)
		default:
			rec.connections[last] = append(rec.connections[last], said{side == ">", text})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rec
}
