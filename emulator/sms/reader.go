package sms

import (
	"errors"
	"fmt"
)

// ErrMalformed is what all parsers' errors wrap.
var ErrMalformed = errors.New("malformed short message")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// reader takes a TPDU apart. The first failure sticks; what is read after it is zero.
type reader struct {
	b   []byte
	at  int
	err error
}

func (r *reader) left() int { return len(r.b) - r.at }

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = malformed(format, args...)
	}
}

func (r *reader) take(n int, what string) []byte {
	if r.err == nil && r.left() < n {
		r.fail("%s: %d octets are wanted at octet %d, %d are left", what, n, r.at, r.left())
	}
	if r.err != nil {
		return nil
	}
	b := r.b[r.at : r.at+n : r.at+n]
	r.at += n
	return b
}

func (r *reader) octet(what string) byte {
	if b := r.take(1, what); b != nil {
		return b[0]
	}
	return 0
}

// end refuses octets behind the last field.
func (r *reader) end() error {
	if r.err == nil && r.left() > 0 {
		r.fail("%d octets follow the last field", r.left())
	}
	return r.err
}
