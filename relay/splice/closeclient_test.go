package splice

import (
	"errors"
	"io"
	"net"
	"testing"
)

// Where the target breaks, the client is handed to CloseClient unhurt, also in the middle of a burst.
func TestCloseClient(t *testing.T) {
	for name, request := range map[string]int{"silent": 0, "in a burst": firstRead} {
		t.Run(name, func(t *testing.T) {
			client, target := tcpPair(t), tcpPair(t)
			handed := make(chan struct{})
			_, wait := run(t, t.Context(), client, target, Config{CloseClient: func(c net.Conn) {
				defer close(handed)
				c.Write([]byte("bye"))
				c.Close()
			}})
			if request > 0 {
				client.far.Write(make([]byte, request))
				io.ReadFull(target.far, make([]byte, request))
			}
			target.far.(*net.TCPConn).SetLinger(0)
			target.far.Close()
			got, err := io.ReadAll(client.far)
			if string(got) != "bye" || err != nil && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("the client got %q, %v", got, err)
			}
			<-handed
			if r := wait(); r.End != TargetError {
				t.Errorf("result %+v, want target error", r)
			}
		})
	}
}

// Watch is told of the first bytes of each direction as often as it asks for more, and of the ends.
func TestWatch(t *testing.T) {
	client, target := tcpPair(t), tcpPair(t)
	type told struct {
		up   bool
		text string
	}
	events := make(chan told, 16)
	_, wait := run(t, t.Context(), client, target, Config{Watch: Watch{
		First: func(up bool, b []byte) bool { events <- told{up, string(b)}; return up },
		Ended: func(up bool) { events <- told{up, "end"} },
	}})
	exchange := func(from, to net.Conn, text string) {
		io.WriteString(from, text)
		io.ReadFull(to, make([]byte, len(text)))
	}
	exchange(client.far, target.far, "one")
	exchange(client.far, target.far, "two")
	exchange(target.far, client.far, "answer")
	exchange(target.far, client.far, "not told")
	client.far.(halfCloser).CloseWrite()
	io.ReadAll(target.far)
	target.far.Close()
	wait()
	close(events)
	var got []told
	for e := range events {
		got = append(got, e)
	}
	want := []told{{true, "one"}, {true, "two"}, {false, "answer"}, {true, "end"}, {false, "end"}}
	if len(got) != len(want) {
		t.Fatalf("told %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("told %v, want %v", got, want)
			break
		}
	}
}
