package agent

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// A logBook collects log lines.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// forget drops what was written so far.
func (l *logBook) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

// warnings are the lines of level WARN.
func (l *logBook) warnings() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for line := range strings.Lines(l.b.String()) {
		if strings.Contains(line, "level=WARN") {
			out = append(out, line)
		}
	}
	return out
}

// A running agent, whose pauses the test sees and ends.
type running struct {
	*Agent
	log    *logBook
	pauses chan time.Duration
	resume chan time.Time
	stop   func()
}

func start(t *testing.T, cfg Config, change ...func(*Agent)) *running {
	t.Helper()
	r := &running{log: &logBook{}, pauses: make(chan time.Duration, 100), resume: make(chan time.Time)}
	cfg.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	cfg.After = func(d time.Duration) <-chan time.Time { r.pauses <- d; return r.resume }
	cfg.Rand = func() float64 { return 0 }
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Agent = a
	a.timing.denied, a.timing.absent = 0, 0
	for _, c := range change {
		c(a)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(r.stop)
	return r
}

// says waits for a line in the log.
func (r *running) says(t *testing.T, text string) {
	t.Helper()
	for {
		r.log.mu.Lock()
		found := strings.Contains(r.log.b.String(), text)
		r.log.mu.Unlock()
		if found {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatalf("the log never says %q:\n%s", text, &r.log.b)
		}
	}
}
