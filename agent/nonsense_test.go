package agent

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	flood     = 8 << 20 // octets that a modem sends which does not stop
	maxGrowth = 4 << 20 // of the heap, through all that
)

// A babbler is a modem that answers as it should, until a command with which it begins to talk and does not stop.
type babbler struct {
	*os.File        // of the PTY
	begins   string // the command; "": before any
	text     []byte // over and over
	said     chan struct{}
}

// babble ends with the port, or with done.
func (b *babbler) babble(done context.Context) {
	stop := context.AfterFunc(done, func() { b.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	var reading sync.WaitGroup
	defer reading.Wait()
	began := make(chan struct{})
	if b.begins == "" {
		close(began)
	}
	reading.Go(func() { b.listen(began) })
	select {
	case <-began:
	case <-done.Done():
		return
	}
	for n, told := 0, false; ; {
		k, err := b.Write(b.text)
		if err != nil {
			return
		}
		if n += k; n >= flood && !told {
			close(b.said)
			told = true
		}
	}
}

// listen answers until the talk begins, and only takes what comes after that.
func (b *babbler) listen(began chan struct{}) {
	babbling := b.begins == ""
	var line []byte
	c := make([]byte, 1)
	for {
		if _, err := b.Read(c); err != nil {
			return
		}
		if babbling {
			continue
		}
		if c[0] != '\r' {
			line = append(line, c[0])
			continue
		}
		cmd := strings.TrimPrefix(string(line), "AT")
		line = line[:0]
		if cmd == b.begins {
			babbling = true
			close(began)
			continue
		}
		answer := cmp.Or(defaultAnswers[cmd], "ERROR")
		io.WriteString(b, "\r\n"+strings.ReplaceAll(answer, "|", "\r\n\r\n")+"\r\n")
	}
}

// nonsense is what modems are found to say, and worse.
var nonsense = []struct {
	name   string
	begins string
	text   []byte
}{
	{"announcements", "", bytes.Repeat([]byte("\r\n+CEREG: 2\r\n\r\n+CGEV: NW DETACH\r\n\r\nRDY\r\n"), 1<<10)},
	{"announcements when identified", "+CGSN", bytes.Repeat([]byte("\r\n+CEREG: 2\r\n\r\nRING\r\n"), 1<<10)},
	{"noise", "", noise(64 << 10)},
	{"noise without an end of line", "", bytes.Repeat([]byte("x"), 64<<10)},
	{"NUL", "", make([]byte, 64<<10)},
	{"ends of lines", "", bytes.Repeat([]byte("\r\n"), 32<<10)},
	{"results", "", bytes.Repeat([]byte("\r\nOK\r\n"), 10<<10)},
	{"overlong lines", "", append(bytes.Repeat([]byte("+CEREG: 1,"), 6<<10), "\r\n"...)},
	{"messages without an end", "", bytes.Repeat([]byte("\r\n+CMT: ,160\r\n"), 1<<10)},
	{"a reply without an end", "+CGMI", bytes.Repeat([]byte("\r\nQuectel\r\n"), 4<<10)},
	{"a reply of long lines", "+CGMI", append(bytes.Repeat([]byte("Q"), 8000), "\r\n"...)},
	{"another reply without an end", "+CGSN", bytes.Repeat([]byte("\r\n+CGSN: 867584034313614\r\n"), 1<<10)},
	{"multiplexer frames", "", bytes.Repeat([]byte{0xf9, 0x03, 0x3f, 0x01, 0x1c, 0xf9, 0x05, 0xef, 0x09, 0xe3, 0x05, 0x07, 0x0d, 0xfb, 0xf9}, 1<<10)},
	{"PPP frames", "", bytes.Repeat([]byte("\x7e\xff\x7d\x23\xc0\x21\x7d\x21\x7d\x20\x7d\x20\x7d\x39\x7e"), 1<<10)},
	{"in a call", "D*99***1#", append([]byte("\r\nCONNECT\r\n"), bytes.Repeat([]byte("~"+strings.Repeat("\xff", 3000)), 10)...)},
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestMemoryUnderNonsense: whatever a modem says, and however much, the agent's memory does not grow, and it ends when it is told to.
func TestMemoryUnderNonsense(t *testing.T) {
	for _, tt := range nonsense {
		t.Run(tt.name, func(t *testing.T) {
			master, path := openPTY(t)
			ctx, cancel := context.WithCancel(context.Background())
			b := &babbler{File: master, begins: tt.begins, text: tt.text, said: make(chan struct{})}
			var running sync.WaitGroup
			defer running.Wait()
			defer cancel()
			running.Go(func() { b.babble(ctx) })
			cfg := config(path, echoServer(t))
			cfg.Logger = slog.New(slog.DiscardHandler)
			cfg.After = func(d time.Duration) <-chan time.Time { return time.After(min(d, 10*time.Millisecond)) }
			a, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			a.timing.terminate, a.timing.hangUp = 100*time.Millisecond, 100*time.Millisecond // a babbler takes no leave
			before := heap()
			ended := make(chan error, 1)
			actx, stop := context.WithCancel(ctx)
			defer stop()
			go func() { ended <- a.Run(actx) }() // waited for below
			select {
			case <-b.said:
			case <-time.After(3 * time.Minute):
				t.Error("the agent does not take what the modem says")
			}
			if after := heap(); after > before+maxGrowth {
				t.Errorf("the heap grew from %.1f MB to %.1f MB", float64(before)/1e6, float64(after)/1e6)
			}
			stop()
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// heap is what is in use, once the garbage is gone.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
