package dce

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// engine stands for the PPP server: it keeps what it reads.
type engine struct {
	mu  sync.Mutex
	got bytes.Buffer
}

func (e *engine) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.got.Write(b)
}

func (e *engine) take() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.got.String()
	e.got.Reset()
	return s
}

// TestEscape runs on fake time: the guard time is a second.
func TestEscape(t *testing.T) {
	type send struct {
		after time.Duration
		text  string
	}
	for _, tt := range []struct {
		name  string
		sends []send
		data  string // what the engine gets
		left  bool   // command state is reached
	}{
		{"escape", []send{{2 * time.Second, "+++"}}, "", true},
		{"escape by hand", []send{{2 * time.Second, "+"}, {300 * time.Millisecond, "+"}, {300 * time.Millisecond, "+"}}, "", true},
		{"after data and silence", []send{{0, "data"}, {2 * time.Second, "+++"}}, "data", true},
		{"no silence before", []send{{0, "data"}, {100 * time.Millisecond, "+++"}}, "data+++", false},
		{"no silence after", []send{{2 * time.Second, "+++"}, {100 * time.Millisecond, "data"}}, "+++data", false},
		{"four", []send{{2 * time.Second, "++++"}}, "++++", false},
		{"one more later", []send{{2 * time.Second, "+++"}, {100 * time.Millisecond, "+"}}, "++++", false},
		{"two", []send{{2 * time.Second, "++"}, {2 * time.Second, "data"}}, "++data", false},
		{"in the middle of data", []send{{2 * time.Second, "a+++b"}}, "a+++b", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				m := &Modem{}
				factory := settings{d: 2, verbose: true, s: map[int]byte{2: '+', 3: 13, 4: 10, 12: 50}}
				p := &port{m: m, line: theirs, out: newOutput(theirs), set: factory}
				_, cancel := context.WithCancel(t.Context())
				c := &call{p: p, cancel: cancel, done: make(chan struct{}), leave: make(chan struct{}), back: make(chan struct{})}
				c.data = newDataPort(c)
				e := &engine{}
				ended := make(chan error, 1)
				go func() { _, err := c.data.WriteTo(e); ended <- err }()
				for _, s := range tt.sends {
					time.Sleep(s.after) // fake time
					if _, err := ours.Write([]byte(s.text)); err != nil {
						t.Fatal(err)
					}
				}
				left := false
				select {
				case <-c.leave:
					left = true
				case <-time.After(10 * time.Second):
				}
				if left != tt.left {
					t.Errorf("command state reached: %t, want %t", left, tt.left)
				}
				if got := e.take(); got != tt.data {
					t.Errorf("the engine got %q, want %q", got, tt.data)
				}
				if left { // and back
					c.back <- struct{}{}
					ours.Write([]byte("more"))
					synctest.Wait()
					if got := e.take(); got != "more" {
						t.Errorf("after ATO the engine got %q", got)
					}
				}
				c.data.Close()
				<-ended
				ours.Close()
			})
		})
	}
}

func BenchmarkDataPortBulk(b *testing.B) {
	e := escape{last: time.Now()}
	chunk := bytes.Repeat([]byte{0x7e, '+', 0x21, 0x45}, 1024)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if e.take(chunk, time.Now(), time.Second, '+') {
			b.Fatal("taken")
		}
	}
}
