package dce

import (
	"errors"
	"fmt"
	"strings"
)

// form is the way in which a command is used (V.250 section 5.4).
type form int

const (
	formExec form = iota // AT+CSQ, ATE, ATE0
	formRead             // AT+CREG?, ATS3?
	formTest             // AT+CREG=?
	formSet              // AT+CREG=2, ATS3=13
)

// invocation is one command of a line.
type invocation struct {
	name string // upper case, with its sign: E, &D, S, D, +CREG
	form form
	num  int    // basic commands: the number, or the register of S; 0 when left out
	text string // formSet: the parameters; D: the dial string
}

// scanner takes a line's body apart. Commands are given one at a time, because those before a mistake are still carried out
// (V.250 section 5.6).
type scanner struct{ rest string }

var errSyntax = errors.New("not a command line")

// next gives the next command; more is false at the end of the line.
func (s *scanner) next() (inv invocation, more bool, err error) {
	s.rest = strings.TrimLeft(s.rest, " ;")
	if s.rest == "" {
		return invocation{}, false, nil
	}
	switch c := upper(s.rest[0]); {
	case strings.IndexByte("+*$^%#!", c) >= 0:
		inv, err = s.extended()
	case c == 'D':
		inv = invocation{name: "D", text: s.rest[1:]}
		s.rest = ""
	case c == 'S':
		inv, err = s.register()
	case c == '&' || c == '\\':
		s.skip(1)
		if s.rest == "" || !letter(upper(s.rest[0])) {
			return inv, false, fmt.Errorf("%w: %q lacks its letter", errSyntax, c)
		}
		inv, err = s.basic(string(c))
	case letter(c):
		inv, err = s.basic("")
	default:
		err = fmt.Errorf("%w: %q begins no command", errSyntax, c)
	}
	return inv, err == nil, err
}

// basic is a letter and perhaps a number.
func (s *scanner) basic(prefix string) (invocation, error) {
	inv := invocation{name: prefix + string(upper(s.rest[0]))}
	s.skip(1)
	n, _, err := s.number()
	inv.num = n
	return inv, err
}

// register is S, a number, and = with a value or a question mark.
func (s *scanner) register() (invocation, error) {
	s.skip(1)
	n, any, err := s.number()
	if err != nil || !any {
		return invocation{}, fmt.Errorf("%w: S lacks its number", errSyntax)
	}
	inv := invocation{name: "S", num: n}
	switch {
	case strings.HasPrefix(s.rest, "="):
		s.skip(1)
		start := s.rest
		if _, _, err := s.number(); err != nil {
			return inv, err
		}
		inv.form, inv.text = formSet, strings.TrimRight(start[:len(start)-len(s.rest)], " ")
	case strings.HasPrefix(s.rest, "?"):
		s.skip(1)
		inv.form = formRead
	default:
		return inv, fmt.Errorf("%w: S%d lacks = or ?", errSyntax, n)
	}
	return inv, nil
}

// extended is a sign, a name, and what follows up to a semicolon outside quotes or the end.
func (s *scanner) extended() (invocation, error) {
	end, quoted := len(s.rest), false
	for i := range len(s.rest) {
		if s.rest[i] == '"' {
			quoted = !quoted
		}
		if s.rest[i] == ';' && !quoted {
			end = i
			break
		}
	}
	if quoted {
		return invocation{}, fmt.Errorf("%w: a quote is open", errSyntax)
	}
	whole := strings.TrimRight(s.rest[:end], " ")
	s.rest = s.rest[end:]

	cut := strings.IndexAny(whole, "=?")
	inv := invocation{name: whole}
	if cut >= 0 {
		inv.name = whole[:cut]
		switch tail := strings.TrimLeft(whole[cut:], " "); {
		case tail == "?":
			inv.form = formRead
		case strings.ReplaceAll(tail, " ", "") == "=?":
			inv.form = formTest
		case tail[0] == '=':
			inv.form, inv.text = formSet, strings.TrimLeft(tail[1:], " ")
		default:
			return invocation{}, fmt.Errorf("%w: %q", errSyntax, whole)
		}
	}
	inv.name = strings.ToUpper(strings.ReplaceAll(inv.name, " ", ""))
	if len(inv.name) < 2 {
		return invocation{}, fmt.Errorf("%w: %q lacks its name", errSyntax, whole)
	}
	return inv, nil
}

// number takes digits; any tells whether there were some.
func (s *scanner) number() (n int, any bool, err error) {
	for s.rest != "" && s.rest[0] >= '0' && s.rest[0] <= '9' {
		if n = n*10 + int(s.rest[0]-'0'); n > 0xffff {
			return 0, true, fmt.Errorf("%w: the number is too large", errSyntax)
		}
		any = true
		s.skip(1)
	}
	return n, any, nil
}

// skip goes on by n bytes and over the spaces behind them, which mean nothing (section 5.2.1).
func (s *scanner) skip(n int) { s.rest = strings.TrimLeft(s.rest[n:], " ") }

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func letter(c byte) bool { return 'A' <= c && c <= 'Z' }
