package atline

import "bytes"

// maxLine bounds one line. The longest that a modem sends on purpose is the operator list of +COPS=?, about 2 kB.
const maxLine = 8 << 10

// A splitter cuts the command-mode stream into lines. CR, LF and CR LF end a line alike: replies come as CR LF text CR LF
// (V.250, 5.7.1), but an echo ends in a single CR. It holds at most maxLine bytes whatever the modem sends.
type splitter struct {
	buf     []byte
	cr      bool // the last terminator was a CR, whose LF may follow
	endless bool // the line under way is too long: drop it up to its end
	dropped int  // lines thrown away for their length
}

// next consumes p up to and including the end of a line. ok is false when p ran out first. The line is valid until the next call.
func (s *splitter) next(p []byte) (line, rest []byte, ok bool) {
	if s.cr && len(p) > 0 {
		s.cr = false
		if p[0] == '\n' {
			p = p[1:]
		}
	}
	end := bytes.IndexAny(p, "\r\n")
	if end < 0 {
		s.keep(p)
		return nil, nil, false
	}
	s.cr = p[end] == '\r'
	s.keep(p[:end])
	line, s.buf = s.buf, s.buf[:0]
	if s.endless {
		s.endless = false
		s.dropped++
		return nil, p[end+1:], true // what is left is an empty line: no one asked for this one
	}
	return line, p[end+1:], true
}

func (s *splitter) keep(p []byte) {
	if s.endless || len(s.buf)+len(p) > maxLine {
		s.endless, s.buf = true, s.buf[:0]
		return
	}
	s.buf = append(s.buf, p...)
}

// trim takes the noise off a line's ends: a UART that wakes up sends NUL or 0xFF before the first character.
func trim(line []byte) []byte {
	return bytes.TrimFunc(line, func(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd })
}

// isNoise tells a line that no modem writes on purpose: one with control characters in it.
func isNoise(line []byte) bool {
	for _, b := range line {
		if b < ' ' && b != '\t' || b == 0x7f {
			return true
		}
	}
	return false
}
