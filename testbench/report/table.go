package report

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"unicode/utf8"
)

// WriteTable writes one row for each result and the counts; coloured when w is a terminal.
func WriteTable(w io.Writer, run Run) error {
	run = run.withDefaults()
	var names []string
	for _, r := range run.Results {
		names = append(names, r.Name)
	}
	t := newTable(names, IsTerminal(w))
	var b strings.Builder
	b.WriteString(t.header())
	for _, r := range run.Results {
		b.WriteString(t.row(r))
	}
	b.WriteString(t.counts(run))
	_, err := io.WriteString(w, b.String())
	return err
}

// table lays out rows: name, result, time, one sentence.
type table struct {
	nameWidth int
	color     bool
}

func newTable(names []string, color bool) table {
	t := table{nameWidth: len("SCENARIO"), color: color}
	for _, name := range names {
		t.nameWidth = max(t.nameWidth, utf8.RuneCountInString(OneLine(name)))
	}
	return t
}

func (t table) header() string {
	return t.paint("1", fmt.Sprintf("%-*s  %-6s  %10s", t.nameWidth, "SCENARIO", "RESULT", "TIME")) + "\n"
}

func (t table) row(r Result) string {
	status, color := string(r.Status), map[Status]string{Pass: "32", Fail: "1;31", Skip: "33"}[r.Status]
	row := fmt.Sprintf("%s  %s  %10s  %s\n", pad(OneLine(r.Name), t.nameWidth), t.paint(color, pad(status, 6)), formatDuration(r.Duration), OneLine(r.sentence()))
	if r.Hint != "" && r.Status != Pass {
		row += fmt.Sprintf("%s  %s\n", strings.Repeat(" ", t.nameWidth+20), t.paint("36", "hint: "+OneLine(r.Hint)))
	}
	return row
}

func (t table) counts(run Run) string {
	c := run.Counts()
	color := "1;32"
	if c.Fail > 0 {
		color = "1;31"
	}
	text := fmt.Sprintf("%d passed, %d failed", c.Pass, c.Fail)
	if c.Skip > 0 {
		text += fmt.Sprintf(", %d skipped", c.Skip)
	}
	return fmt.Sprintf("\n%s in %s\n", t.paint(color, text), formatDuration(run.Duration))
}

func (t table) paint(color, text string) string {
	if !t.color || color == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// IsTerminal is true where w shows escape sequences rightly: a character device that the environment does not say to be dumb.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	if runtime.GOOS == "windows" && os.Getenv("WT_SESSION") == "" && os.Getenv("TERM") == "" {
		return false // the old console prints escape sequences as they are
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
