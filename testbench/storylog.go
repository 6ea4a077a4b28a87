package testbench

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"minato/testbench/report"
)

// maxLines bounds the log of one scenario.
const maxLines = 2000

// storyLog is a slog handler that keeps a scenario's own log, and passes every record on.
type storyLog struct {
	next    slog.Handler
	started time.Time
	attrs   string
	shared  *storyLines
}

type storyLines struct {
	mu    sync.Mutex // guards lines
	lines []report.LogLine
}

func newStoryLog(started time.Time, logger *slog.Logger) *storyLog {
	next := slog.Handler(slog.DiscardHandler)
	if logger != nil {
		next = logger.Handler()
	}
	return &storyLog{next: next, started: started, shared: &storyLines{}}
}

func (s *storyLog) Enabled(_ context.Context, l slog.Level) bool {
	return l >= slog.LevelInfo || s.next.Enabled(context.Background(), l)
}

func (s *storyLog) Handle(ctx context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	b.WriteString(s.attrs)
	r.Attrs(func(a slog.Attr) bool { writeAttr(&b, a); return true })
	s.shared.mu.Lock()
	if len(s.shared.lines) < maxLines {
		s.shared.lines = append(s.shared.lines, report.LogLine{
			At: r.Time.Sub(s.started), Level: strings.ToLower(r.Level.String()), Text: b.String(),
		})
	}
	s.shared.mu.Unlock()
	if s.next.Enabled(ctx, r.Level) {
		return s.next.Handle(ctx, r)
	}
	return nil
}

func writeAttr(b *strings.Builder, a slog.Attr) { fmt.Fprintf(b, " %s=%v", a.Key, a.Value) }

func (s *storyLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *s
	c.next = s.next.WithAttrs(attrs)
	var b strings.Builder
	for _, a := range attrs {
		writeAttr(&b, a)
	}
	c.attrs += b.String()
	return &c
}

func (s *storyLog) WithGroup(name string) slog.Handler {
	c := *s
	c.next = s.next.WithGroup(name)
	return &c
}

// Lines are what was logged so far.
func (s *storyLog) Lines() []report.LogLine {
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	return append([]report.LogLine(nil), s.shared.lines...)
}
