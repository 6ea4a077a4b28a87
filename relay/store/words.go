package store

import (
	"encoding/json"
	"errors"
)

// Words say what happened in a way that can be put into any language: a code, and what differs from time to time.
type Words struct {
	Code string
	Args []string
}

// IsZero tells that nothing is said.
func (w Words) IsZero() bool { return w.Code == "" }

// MarshalJSON writes the code alone, or an array of it and the arguments.
func (w Words) MarshalJSON() ([]byte, error) { return w.appendTo(nil), nil }

// appendTo appends the same.
func (w Words) appendTo(b []byte) []byte {
	if len(w.Args) == 0 {
		return appendText(b, w.Code)
	}
	b = appendText(append(b, '['), w.Code)
	for _, a := range w.Args {
		b = appendText(append(b, ','), a)
	}
	return append(b, ']')
}

// UnmarshalJSON reads both forms. The log of an older relay has sentences in place of codes.
func (w *Words) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &w.Code)
	}
	var all []string
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New("words without a code")
	}
	w.Code, w.Args = all[0], all[1:]
	return nil
}
