package dce

import "strconv"

// result is the final result of a command line (V.250 section 5.7.1).
type result struct {
	code    int        // with ATV0
	verbose string     // with ATV1
	cause   cause      // of an error; zero: none is told
	call    *dial      // CONNECT: what to connect to
	after   func()     // runs once the result is on the line
	text    *textEntry // no result yet: text is to follow
}

// dial is an accepted request for a data call.
type dial struct {
	cid    int
	resume bool // ATO
}

var (
	resultOK        = result{code: 0, verbose: "OK"}
	resultNoCarrier = result{code: 3, verbose: "NO CARRIER"}
	resultError     = result{code: 4, verbose: "ERROR"}
)

func (r result) ok() bool { return r.code == resultOK.code && r.call == nil && r.text == nil }

// cause is the number of a +CME ERROR or a +CMS ERROR, and its text.
type cause struct {
	family string // "+CME" or "+CMS"; "": no cause
	number int
	text   string
}

// Numbers of +CME ERROR (TS 27.007 section 9.2).
const (
	cmeNotAllowed       = 3
	cmeNotSupported     = 4
	cmeSIMNotInserted   = 10
	cmeSIMPINRequired   = 11
	cmeSIMPUKRequired   = 12
	cmeSIMFailure       = 13
	cmeWrongPassword    = 16
	cmeInvalidIndex     = 21
	cmeNoNetwork        = 30
	cmeIncorrectParams  = 50
	cmeUnknown          = 100
	cmeServiceOption    = 134 // service option temporarily out of order
	cmePDPAuth          = 149
	cmeServiceForbidden = 107 // GPRS services not allowed
	cmeNotSubscribed    = 133 // requested service option not subscribed
)

var cmeText = map[int]string{
	cmeNotAllowed:       "operation not allowed",
	cmeNotSupported:     "operation not supported",
	cmeSIMNotInserted:   "SIM not inserted",
	cmeSIMPINRequired:   "SIM PIN required",
	cmeSIMPUKRequired:   "SIM PUK required",
	cmeSIMFailure:       "SIM failure",
	cmeWrongPassword:    "incorrect password",
	cmeInvalidIndex:     "invalid index",
	cmeNoNetwork:        "no network service",
	cmeIncorrectParams:  "Incorrect parameters",
	cmeUnknown:          "unknown",
	cmeServiceOption:    "service option temporarily out of order",
	cmePDPAuth:          "PDP authentication failure",
	cmeServiceForbidden: "GPRS services not allowed",
	cmeNotSubscribed:    "requested service option not subscribed",
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
	if s.quiet {
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
	if told {
		return text + string(s.reg(3))
	}
	return strconv.Itoa(r.code) + string(s.reg(3))
}

func connectResult(d dial) result { return result{code: 1, verbose: "CONNECT", call: &d} }
