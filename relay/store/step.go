package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// stepRecord is a Step as it is stored, [microseconds, who, what, size]: without names of fields, since ladders are half of what the log holds.
type stepRecord struct {
	after int64
	from  string
	what  Words
	bytes int64
}

// MarshalJSON writes the short form.
func (s Step) MarshalJSON() ([]byte, error) { return s.appendTo(nil), nil }

// appendTo appends the short form.
func (s Step) appendTo(b []byte) []byte {
	b = strconv.AppendInt(append(b, '['), s.After.Microseconds(), 10)
	b = appendText(append(b, ','), s.From)
	b = s.What.appendTo(append(b, ','))
	if s.Bytes != 0 {
		b = strconv.AppendInt(append(b, ','), s.Bytes, 10)
	}
	return append(b, ']')
}

// UnmarshalJSON reads it.
func (s *Step) UnmarshalJSON(b []byte) error {
	var r stepRecord
	fields := []any{&r.after, &r.from, &r.what, &r.bytes}
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if len(raw) < 3 || len(raw) > len(fields) {
		return fmt.Errorf("a step of %d fields", len(raw))
	}
	for i, f := range raw {
		if err := json.Unmarshal(f, fields[i]); err != nil {
			return err
		}
	}
	*s = Step{time.Duration(r.after) * time.Microsecond, r.from, r.what, r.bytes}
	return nil
}
