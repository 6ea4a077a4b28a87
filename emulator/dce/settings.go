package dce

import "maps"

// settings are what a port keeps for itself: V.250 section 6.2 and &C, &D, S-registers, +CMEE, +IPR.
type settings struct {
	echo, verbose, quiet bool
	x                    int // ATX
	c, d                 int // &C, &D
	cmee                 int
	rate                 int // +IPR; 0: automatic. Not touched by &F and Z, which would cut the user off
	s                    map[int]byte
}

// registers of V.250 with their defaults and bounds. 6 to 8 and 10 are kept and change nothing: there is no line to wait for.
var registers = map[int]struct{ value, lo, hi int }{
	0:  {0, 0, 255},   // rings before answering
	1:  {0, 0, 255},   // rings counted
	2:  {'+', 0, 255}, // escape character; over 127 switches the escape off
	3:  {13, 0, 127},  // command line termination
	4:  {10, 0, 127},  // response formatting
	5:  {8, 0, 127},   // command line editing
	6:  {2, 0, 10},    // pause before blind dialling
	7:  {0, 0, 255},   // connection completion timeout
	8:  {2, 0, 255},   // comma dial modifier delay
	10: {15, 1, 254},  // automatic disconnect delay
	12: {50, 0, 255},  // escape guard time, fiftieths of a second
}

// factory is what AT&F gives.
func (p *Personality) factory() settings {
	s := settings{
		echo: p.Line.Echo.Value, verbose: true, x: p.Line.X.Value, c: p.Line.CircuitC.Value, d: p.Line.CircuitD.Value,
		cmee: p.Line.CMEE.Value, rate: p.Line.Rate.Value, s: map[int]byte{},
	}
	for n, r := range registers {
		s.s[n] = byte(r.value)
	}
	for n, v := range p.Line.Registers.Value {
		s.s[n] = byte(v)
	}
	return s
}

func (s *settings) reg(n int) byte { return s.s[n] }

func (s *settings) crlf() string { return string([]byte{s.reg(3), s.reg(4)}) }

func (s *settings) clone() settings {
	c := *s
	c.s = maps.Clone(s.s)
	return c
}
