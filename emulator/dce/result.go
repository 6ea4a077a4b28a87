package dce

import (
	"context"
	"strconv"
)

// result is the final result of a command line (V.250 section 5.7.1).
type result struct {
	code    int                       // with ATV0; noNumber: it is told by its text then too
	verbose string                    // with ATV1
	cause   cause                     // of an error; zero: none is told
	call    *dial                     // CONNECT: what to connect to
	after   func()                    // runs once the result is on the line
	mux     func(ctx context.Context) // multiplexer mode: has the line until it returns
	silent  bool                      // nothing is said
	text    *textEntry                // no result yet: text is to follow
}

// dial is an accepted request for a data call.
type dial struct {
	cid    int
	resume bool // ATO
}

// noNumber marks a result of the extended syntax, which has no numeric equivalent (V.250 section 5.7.2).
const noNumber = -1

// extended is such a result.
func extended(text string) result { return result{code: noNumber, verbose: text} }

var (
	resultOK        = result{code: 0, verbose: "OK"}
	resultRing      = result{code: 2, verbose: "RING"}
	resultNoCarrier = result{code: 3, verbose: "NO CARRIER"}
	resultError     = result{code: 4, verbose: "ERROR"}

	// results are all that need nothing else.
	results = []result{
		resultOK, resultNoCarrier, resultError,
		{code: 6, verbose: "NO DIALTONE"}, {code: 7, verbose: "BUSY"}, {code: 8, verbose: "NO ANSWER"},
	}
)

func (r result) ok() bool {
	return r.code == resultOK.code && r.call == nil && r.text == nil && r.mux == nil
}

// cause is the number of a +CME ERROR or a +CMS ERROR, and its text.
type cause struct {
	family string // "+CME" or "+CMS"; "": no cause
	number int
	text   string
}

func cmeError(n int) result {
	return result{code: resultError.code, cause: cause{"+CME", n, cmeText[n]}}
}

// cmsError is the failure of a message command (TS 27.005 section 3.2.5); text is for +CMEE=2.
func cmsError(n int, text string) result {
	return result{code: resultError.code, cause: cause{"+CMS", n, text}}
}

// format gives the bytes of the result in the manner that the port is set to.
func (r result) format(s *settings, connect string) string {
	if s.quiet || r.silent {
		return ""
	}
	text := r.verbose
	told := r.cause.family != "" && s.cmee > 0
	switch {
	case told && s.cmee == 1:
		text = r.cause.family + " ERROR: " + strconv.Itoa(r.cause.number)
	case told:
		text = r.cause.family + " ERROR: " + r.cause.text
	case r.cause.family != "":
		text = resultError.verbose
	case r.call != nil && s.x > 0:
		text = connect
	}
	if s.verbose {
		return s.crlf() + text + s.crlf()
	}
	if told || r.code == noNumber {
		return text + string(s.reg(3))
	}
	return strconv.Itoa(r.code) + string(s.reg(3))
}

func connectResult(d dial) result { return result{code: 1, verbose: "CONNECT", call: &d} }
