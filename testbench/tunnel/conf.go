package tunnel

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Bounds of a stunnel.conf.
const (
	maxConfLine     = 4096
	maxConfLines    = 20000
	maxConfServices = 1000
)

// ConfError is a fault in a stunnel.conf.
type ConfError struct {
	Line   int    // from 1; 0 where it is about the whole file
	Option string // "" where the line is no option
	Text   string // what is wrong
	Hint   string // what to do
}

func (e *ConfError) Error() string {
	switch {
	case e.Line == 0:
		return e.Text
	case e.Option == "":
		return fmt.Sprintf("line %d: %s", e.Line, e.Text)
	}
	return fmt.Sprintf("line %d: option %q: %s", e.Line, e.Option, e.Text)
}

// service is a section as far as it is read. Options before the first section are the defaults of all, as in stunnel.
type service struct {
	Config
	line    int // of its [section]; 0: the defaults
	client  bool
	set     map[string]int // lower-case option to its line
	byChain bool
	byPeer  bool
}

// ParseConf reads a stunnel.conf whose services are in client mode. An error is a *ConfError with line, option and what to do.
// As in stunnel, nothing is verified unless the file asks for it (then Verify is VerifyNone), and an accept with no host listens
// on every address.
func ParseConf(r io.Reader) ([]Config, error) {
	defaults := service{set: map[string]int{}}
	services, current := []*service{}, &defaults
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 1024), maxConfLine)
	n := 0
	for in.Scan() {
		n++
		if n > maxConfLines {
			return nil, &ConfError{Line: n, Text: fmt.Sprintf("more than %d lines", maxConfLines), Hint: "is this a stunnel.conf?"}
		}
		text := in.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // Windows editors
		}
		text = strings.TrimSpace(text)
		switch {
		case text == "" || text[0] == ';' || text[0] == '#':
		case text[0] == '[':
			name, ok := strings.CutSuffix(text[1:], "]")
			if !ok || strings.TrimSpace(name) == "" {
				return nil, &ConfError{Line: n, Text: fmt.Sprintf("%q is no section", text), Hint: "write [NAME]"}
			}
			if len(services) == maxConfServices {
				return nil, &ConfError{Line: n, Text: fmt.Sprintf("more than %d services", maxConfServices), Hint: "split the file"}
			}
			current = defaults.inherit(strings.TrimSpace(name), n)
			services = append(services, current)
		default:
			key, value, ok := strings.Cut(text, "=")
			key, value = strings.TrimSpace(key), strings.TrimSpace(value)
			if !ok || key == "" {
				return nil, &ConfError{Line: n, Text: fmt.Sprintf("%q is no option", text), Hint: "write OPTION = VALUE, or begin a comment with ;"}
			}
			if err := current.option(key, value, n); err != nil {
				return nil, err
			}
		}
	}
	if err := in.Err(); err != nil {
		return nil, &ConfError{Line: n + 1, Text: err.Error(), Hint: fmt.Sprintf("lines have at most %d bytes", maxConfLine)}
	}
	if len(services) == 0 {
		return nil, &ConfError{Text: "no [service] section: inetd mode is not supported", Hint: "put accept and connect under a line such as [vnc]"}
	}
	var cfgs []Config
	for _, s := range services {
		cfg, err := s.finish()
		if err != nil {
			return nil, err
		}
		cfgs = append(cfgs, cfg)
	}
	return cfgs, nil
}

// inherit begins a section with the values of the defaults.
func (s *service) inherit(name string, line int) *service {
	c := *s
	c.Name, c.line, c.set = name, line, maps.Clone(s.set)
	c.CheckHost, c.CheckIP = slices.Clone(s.CheckHost), slices.Clone(s.CheckIP)
	return &c
}

// option applies one line.
func (s *service) option(key, value string, line int) error {
	name := strings.ToLower(key) // stunnel compares without case
	fail := func(hint, format string, args ...any) error {
		return &ConfError{Line: line, Option: key, Text: fmt.Sprintf(format, args...), Hint: hint}
	}
	if tolerated[name] {
		return nil
	}
	apply, ok := confOptions[name]
	if !ok {
		if hint, ok := unsupported[name]; ok {
			return fail(hint, "not supported")
		}
		return fail("delete the line; supported are: "+strings.Join(confNames(), ", "), "not known")
	}
	if first, again := s.set[name]; again && !repeatable[name] && first > s.line {
		return fail("keep one of them", "given before, on line %d", first)
	}
	s.set[name] = line
	if want := apply(s, value); want != "" {
		return fail("", "value %q: want %s", value, want)
	}
	return nil
}

// finish checks a whole section.
func (s *service) finish() (Config, error) {
	fail := func(option, hint, format string, args ...any) (Config, error) {
		line, ok := s.set[strings.ToLower(option)]
		if !ok {
			line = s.line
		}
		return Config{}, &ConfError{Line: line, Option: option, Text: fmt.Sprintf("service [%s]: ", s.Name) + fmt.Sprintf(format, args...), Hint: hint}
	}
	switch {
	case !s.client:
		return fail("client", "this program is the client's side only: write client = yes", "server mode is not supported")
	case s.Accept == "":
		return fail("accept", "write accept = 127.0.0.1:PORT", "missing")
	case s.Connect == "":
		return fail("connect", "write connect = HOST:PORT", "missing")
	case s.byPeer && s.CAFile == "":
		return fail("verifyPeer", "write CAfile = FILE with the server's certificate", "needs CAfile")
	case s.byPeer:
		s.Verify = VerifyPeer
	case s.byChain:
		s.Verify = VerifyChain
	case len(s.CheckHost) > 0:
		return fail("checkHost", "write verifyChain = yes", "checks nothing without verifyChain or verifyPeer")
	case len(s.CheckIP) > 0:
		return fail("checkIP", "write verifyChain = yes", "checks nothing without verifyChain or verifyPeer")
	default:
		s.Verify = VerifyNone
	}
	return s.Config, nil
}
