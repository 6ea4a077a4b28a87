package report

import (
	"io"
)

// WriteAll writes index.html, junit.xml and report.json into dir, which it makes. Each file appears whole or not at all.
func WriteAll(dir string, run Run) error { panic("stub") }

func WriteJSON(w io.Writer, run Run) error  { panic("stub") }
func WriteJUnit(w io.Writer, run Run) error { panic("stub") }
func WriteHTML(w io.Writer, run Run) error  { panic("stub") }
func WriteTable(w io.Writer, run Run) error { panic("stub") } // coloured when w is a terminal

// Terminal shows a run while it happens: a live line for what runs on a terminal, one row as each result comes, and the counts at the end.
type Terminal struct{}

// NewTerminal takes the names of all scenarios to align the rows.
func NewTerminal(w io.Writer, names []string) *Terminal { panic("stub") }
func (t *Terminal) Begin(name string)                   { panic("stub") } // name runs now
func (t *Terminal) Done(r Result)                       { panic("stub") } // its row
func (t *Terminal) Close(run Run)                       { panic("stub") } // the counts; ends the live line
