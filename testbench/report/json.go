package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the run for programs, as the fields of Run say.
func WriteJSON(w io.Writer, run Run) error {
	run = run.withDefaults()
	if run.Results == nil {
		run.Results = []Result{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(run)
}
