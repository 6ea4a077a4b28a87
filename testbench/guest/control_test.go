package guest

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
)

// fakeGuest is the other end of a control port.
type fakeGuest struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func newFakeGuest(t *testing.T) (*control, *fakeGuest) {
	ours, theirs := net.Pipe()
	c := newControl(ours)
	t.Cleanup(func() {
		theirs.Close()
		<-c.done
	})
	return c, &fakeGuest{t, theirs, bufio.NewReader(theirs)}
}

func (g *fakeGuest) hear() string {
	g.t.Helper()
	line, err := g.r.ReadString('\n')
	if err != nil {
		g.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

func (g *fakeGuest) say(s string) {
	g.t.Helper()
	if _, err := g.conn.Write([]byte(s)); err != nil {
		g.t.Fatal(err)
	}
}

type answer struct {
	out  string
	exit int
	err  error
}

func start(ctx context.Context, c *control, script string) <-chan answer {
	end := make(chan answer, 1)
	go func() {
		out, exit, err := c.exec(ctx, script)
		end <- answer{out, exit, err}
	}()
	return end
}

func TestControl(t *testing.T) {
	c, g := newFakeGuest(t)
	g.say("ready\n")
	<-c.ready
	first := start(t.Context(), c, "echo one\necho two")
	if got, want := g.hear(), "run 1 "+base64.StdEncoding.EncodeToString([]byte("echo one\necho two")); got != want {
		t.Errorf("the guest hears %q, want %q", got, want)
	}
	second := start(t.Context(), c, "")
	if got, want := g.hear(), "run 2 "; got != want {
		t.Errorf("the guest hears %q, want %q", got, want)
	}
	g.say("exit 2 3 0\nexit 1 0 12\nexit 9 0 4\n\n") // output that looks like a reply is none
	if got, want := <-second, (answer{"", 3, nil}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := <-first, (answer{"exit 9 0 4\n\n", 0, nil}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestControlCancel(t *testing.T) {
	c, g := newFakeGuest(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	end := start(ctx, c, "sleep 1000")
	g.hear()
	because := errors.New("enough")
	cancel(because)
	if got, want := g.hear(), "kill 1"; got != want {
		t.Errorf("the guest hears %q, want %q", got, want)
	}
	if got := <-end; !errors.Is(got.err, because) {
		t.Errorf("got %v, want %v", got.err, because)
	}
	again := start(t.Context(), c, "true")
	g.hear()
	g.say("exit 1 137 0\nexit 2 0 0\n") // nobody waits for the first any more
	if got, want := <-again, (answer{}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestControlEnds(t *testing.T) {
	for _, tt := range []struct{ name, says, want string }{
		{"with the guest", "", "the guest is gone"},
		{"within output", "exit 1 0 10\nhalf", "unexpected EOF"},
		{"with nonsense", "segmentation fault\n", `control port: reply "segmentation fault"`},
		{"with a length beyond all measure", "exit 1 0 99999999999\n", "octets of output"},
		{"with a negative length", "exit 1 0 -1\n", "octets of output"},
		{"with a second ready", "ready\nready\n", "a second ready"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, g := newFakeGuest(t)
			end := start(t.Context(), c, "true")
			g.hear()
			g.say(tt.says)
			g.conn.Close()
			if got := <-end; got.err == nil || !strings.Contains(got.err.Error(), tt.want) {
				t.Errorf("got %v, want %q", got.err, tt.want)
			}
			if got := <-start(t.Context(), c, "true"); got.err == nil {
				t.Error("a script ran afterwards")
			}
		})
	}
}

func TestScriptTooLong(t *testing.T) {
	c, _ := newFakeGuest(t)
	if got := <-start(t.Context(), c, strings.Repeat("x", maxScript+1)); got.err == nil {
		t.Error("it was sent")
	}
}

func FuzzReplies(f *testing.F) {
	f.Add("ready\nexit 1 0 5\nhello")
	f.Add("exit 1 0 100000\n")
	f.Fuzz(func(t *testing.T, says string) {
		reply := make(chan result, 1)
		c := &control{ready: make(chan struct{}), waiting: map[int]chan<- result{1: reply}}
		err := c.readReplies(bufio.NewReader(strings.NewReader(says)))
		if err == nil {
			t.Error("it goes on after the end")
		}
		select {
		case r := <-reply:
			if len(r.stdout) > 0 && !strings.Contains(says, r.stdout) {
				t.Errorf("%q became output", fmt.Sprintf("%.80q", r.stdout))
			}
		default:
		}
	})
}
