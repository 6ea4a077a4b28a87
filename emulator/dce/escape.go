package dce

import (
	"bytes"
	"time"
)

// escape looks for the escape sequence in whole chunks: bulk data costs one comparison.
type escape struct {
	last  time.Time // of the last byte that was no candidate
	char  byte
	count int // escape characters that are held back
}

// take tells whether the chunk goes on, or begins, an escape sequence, and then holds it back. The caller waits for a guard time:
// with three characters held and nothing more it is an escape; anything else makes them data.
func (e *escape) take(chunk []byte, now time.Time, guard time.Duration, char byte) bool {
	if len(chunk) > 3-e.count || char > 127 || len(bytes.Trim(chunk, string(rune(char)))) > 0 {
		return false
	}
	if e.count == 0 && now.Sub(e.last) < guard {
		return false
	}
	e.char = char
	e.count += len(chunk)
	return true
}

// flush gives back what was held.
func (e *escape) flush() []byte {
	if e.count == 0 {
		return nil
	}
	b := bytes.Repeat([]byte{e.char}, e.count)
	e.count = 0
	return b
}

// guardTime is S12, in fiftieths of a second.
func guardTime(s *settings) time.Duration { return time.Duration(s.reg(12)) * 20 * time.Millisecond }
