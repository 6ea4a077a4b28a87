package dce

import (
	"fmt"
	"strconv"
	"strings"
)

// arg is one parameter; the zero value is one that was left out.
type arg struct {
	text   string // a string constant without its quotes
	quoted bool
	given  bool
}

type args []arg

// splitArgs takes parameters apart at commas outside quotes (V.250 section 5.4.2.2). A backslash in a string is a character like others:
// the section leaves its escapes to the standards that refer to it, and modems take them as they stand. A BG96 was seen to pass \22
// on unchanged, and u-blox's manuals allow no quote in a string at all.
func splitArgs(text string) (args, error) {
	var list args
	for {
		var one string
		var more bool
		if strings.HasPrefix(text, `"`) {
			inner, rest, closed := strings.Cut(text[1:], `"`)
			if !closed {
				return nil, fmt.Errorf("%w: a quote is open", errSyntax)
			}
			rest = strings.TrimLeft(rest, " ")
			if rest != "" && rest[0] != ',' {
				return nil, fmt.Errorf("%w: %q follows a string", errSyntax, rest)
			}
			list = append(list, arg{text: inner, quoted: true, given: true})
			more = rest != ""
			text = strings.TrimPrefix(rest, ",")
		} else {
			one, text, more = strings.Cut(text, ",")
			one = strings.TrimRight(one, " ")
			if strings.Contains(one, `"`) {
				return nil, fmt.Errorf("%w: a quote in %q", errSyntax, one)
			}
			list = append(list, arg{text: one, given: one != ""})
		}
		if !more {
			return list, nil
		}
		text = strings.TrimLeft(text, " ")
	}
}

// at gives parameter i, or the zero value.
func (a args) at(i int) arg {
	if i < len(a) {
		return a[i]
	}
	return arg{}
}

// number gives parameter i when it is a number from lo to hi; absent when it was left out.
func (a args) number(i, absent, lo, hi int) (int, bool) {
	v := a.at(i)
	if !v.given {
		return absent, absent >= lo && absent <= hi
	}
	n, err := strconv.Atoi(v.text)
	if err != nil || v.quoted || strings.HasPrefix(v.text, "+") || n < lo || n > hi {
		return 0, false
	}
	return n, true
}

// str gives parameter i as a string; quotes may be left out, as modems tolerate.
func (a args) str(i int) string { return a.at(i).text }
