package panel

import (
	"image"
	"slices"
)

// The text box, in characters.
const (
	entryColumns = 65
	entryRows    = 3

	cursor = '_'
)

// entry shows what was typed, from its last rows, with a cursor behind it.
type entry struct{ grid *cells }

func newEntry(f *fonts) *entry {
	return &entry{grid: newCells(f.typewriter, EntryArea.Min.Add(image.Pt(16, 34)), entryColumns, entryRows, colorCard)}
}

func (e *entry) draw(c *canvas, s *state) {
	content := wrap(s.text)
	e.grid.scroll(c, colorText, content)
	e.grid.show(c, colorText, content)
}

// wrap lays text and the cursor out in rows of entryColumns, and gives the last entryRows of them, padded with spaces.
func wrap(text []rune) []rune {
	rows := [][]rune{nil}
	for _, r := range append(slices.Clone(text), cursor) {
		if r == '\n' || len(rows[len(rows)-1]) == entryColumns {
			rows = append(rows, nil)
		}
		if r != '\n' {
			rows[len(rows)-1] = append(rows[len(rows)-1], r)
		}
	}
	var out []rune
	for _, row := range rows[max(0, len(rows)-entryRows):] {
		out = append(out, row...)
		out = append(out, slices.Repeat([]rune{' '}, entryColumns-len(row))...)
	}
	return out
}
