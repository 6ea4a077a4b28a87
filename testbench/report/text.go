package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// formatDuration is short enough for a column.
func formatDuration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
}

// formatAt is a time since a beginning, of one width for lines under each other.
func formatAt(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

func formatBytes(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 10<<10:
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

func (l LogLine) level() string {
	if l.Level == "" {
		return "info"
	}
	return strings.ToLower(l.Level)
}

// OneLine makes text from outside fit for a terminal: no line break, no control character, which could move the cursor.
func OneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '\ufffd'
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func clip(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:max(most-1, 0)]) + "…"
}
