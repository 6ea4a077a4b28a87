package dce

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// template is a text of a personality with values to fill in:
//
//	{NAME}             the value; see vars, and what the place of the text adds
//	{NAME*2+40}        arithmetic on integers, from left to right: + - * /
//	{NAME|0..97}       bounds
//	{NAME|%04X}        a verb of package fmt, for d, x or X
//	{NAME|le}          an IPv4 address as Huawei writes it: hexadecimal, last octet first, no leading zeros
//	{NAME|swap}        digits in pairs, each swapped
type template struct {
	text   string
	pieces []piece
}

// piece is literal text, or a value when name is set.
type piece struct {
	literal string
	name    string
	steps   []func(any) (any, error)
}

var (
	pieceSyntax  = regexp.MustCompile(`\{([a-z][a-z0-9_]*)((?:[-+*/][0-9]+)*)((?:\|[^{}|]+)*)\}`)
	boundsSyntax = regexp.MustCompile(`^(-?[0-9]{1,6})\.\.(-?[0-9]{1,6})$`)
	verbSyntax   = regexp.MustCompile(`^%[0-9]{0,2}[dxX]$`)
	stepSyntax   = regexp.MustCompile(`[-+*/][0-9]+`)
)

var errNotNumber = errors.New("not a number")

// parseTemplate takes a text apart; known tells which names there are.
func parseTemplate(text string, known func(name string) bool) (template, error) {
	t := template{text: text}
	at := 0
	literal := func(s string) error {
		if strings.ContainsAny(s, "{}") {
			return fmt.Errorf("text %q: %q has a brace that belongs to no value", text, s)
		}
		if s != "" {
			t.pieces = append(t.pieces, piece{literal: s})
		}
		return nil
	}
	for _, m := range pieceSyntax.FindAllStringSubmatchIndex(text, -1) {
		if err := literal(text[at:m[0]]); err != nil {
			return t, err
		}
		at = m[1]
		p := piece{name: text[m[2]:m[3]]}
		if !known(p.name) {
			return t, fmt.Errorf("text %q: value %q is not known", text, p.name)
		}
		for _, s := range stepSyntax.FindAllString(text[m[4]:m[5]], -1) {
			step, err := arithmetic(s)
			if err != nil {
				return t, fmt.Errorf("text %q: %w", text, err)
			}
			p.steps = append(p.steps, step)
		}
		for _, s := range strings.Split(text[m[6]:m[7]], "|")[1:] {
			step, err := conversion(s)
			if err != nil {
				return t, fmt.Errorf("text %q: %w", text, err)
			}
			p.steps = append(p.steps, step)
		}
		t.pieces = append(t.pieces, p)
	}
	return t, literal(text[at:])
}

func arithmetic(s string) (func(any) (any, error), error) {
	n, err := strconv.Atoi(s[1:])
	if err != nil || n > 1<<20 || s[0] == '/' && n == 0 {
		return nil, fmt.Errorf("arithmetic %q: a number up to 1048576 is allowed, and not 0 behind /", s)
	}
	return func(v any) (any, error) {
		i, err := integer(v)
		switch s[0] {
		case '+':
			i += n
		case '-':
			i -= n
		case '*':
			i *= n
		case '/':
			i /= n
		}
		return i, err
	}, nil
}

func conversion(s string) (func(any) (any, error), error) {
	if b := boundsSyntax.FindStringSubmatch(s); b != nil {
		lo, _ := strconv.Atoi(b[1]) // the pattern is that of a number
		hi, _ := strconv.Atoi(b[2])
		return func(v any) (any, error) { i, err := integer(v); return min(max(i, lo), hi), err }, nil
	}
	if verbSyntax.MatchString(s) {
		return func(v any) (any, error) { i, err := integer(v); return fmt.Sprintf(s, i), err }, nil
	}
	switch s {
	case "le":
		return func(v any) (any, error) { return littleEndian(fmt.Sprint(v)), nil }, nil
	case "swap":
		return func(v any) (any, error) { return swapped(fmt.Sprint(v), 20), nil }, nil
	}
	return nil, fmt.Errorf("conversion %q: bounds, a verb, le and swap are allowed", s)
}

func integer(v any) (int, error) {
	switch v := v.(type) {
	case int:
		return v, nil
	case string:
		if i, err := strconv.Atoi(v); err == nil {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: %v", errNotNumber, v)
}

// littleEndian is 10.128.0.1 as 100800A, and 0 for what is no address.
func littleEndian(addr string) string {
	n := 0
	octets := strings.Split(addr, ".")
	for i := len(octets) - 1; i >= 0; i-- {
		o, _ := strconv.Atoi(octets[i])
		n = n<<8 | o&0xff
	}
	return fmt.Sprintf("%X", n)
}

// fill puts the text together. What is no number where one is needed counts as 0: a value may be missing at the time.
func (t template) fill(value func(name string) any) string {
	if len(t.pieces) == 1 && t.pieces[0].name == "" {
		return t.pieces[0].literal
	}
	var b strings.Builder
	for _, p := range t.pieces {
		if p.name == "" {
			b.WriteString(p.literal)
			continue
		}
		v := value(p.name)
		for _, step := range p.steps {
			v, _ = step(v)
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}
