package dce

import "strconv"

// result is the final result of a command line (V.250 section 5.7.1).
type result struct {
	code    int    // with ATV0
	text    string // with ATV1
	cme     int    // +CME ERROR number when cmeUsed
	cmeUsed bool
	call    *dial  // CONNECT: what to connect to
	after   func() // runs once the result is on the line
}

// dial is an accepted request for a data call.
type dial struct {
	cid    int
	resume bool // ATO
}

var (
	resultOK        = result{code: 0, text: "OK"}
	resultNoCarrier = result{code: 3, text: "NO CARRIER"}
	resultError     = result{code: 4, text: "ERROR"}
)

func (r result) ok() bool { return r.code == resultOK.code && !r.cmeUsed && r.call == nil }

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

func cmeError(n int) result { return result{code: resultError.code, cme: n, cmeUsed: true} }

// format gives the bytes of the result in the manner that the port is set to.
func (r result) format(s *settings, connect string) string {
	if s.quiet {
		return ""
	}
	text := r.text
	switch {
	case r.cmeUsed && s.cmee == 1:
		text = "+CME ERROR: " + strconv.Itoa(r.cme)
	case r.cmeUsed && s.cmee == 2:
		text = "+CME ERROR: " + cmeText[r.cme]
	case r.cmeUsed:
		text = "ERROR"
	case r.call != nil && s.x > 0:
		text = connect
	}
	if s.verbose {
		return s.crlf() + text + s.crlf()
	}
	if r.cmeUsed && s.cmee > 0 {
		return text + string(s.reg(3))
	}
	return strconv.Itoa(r.code) + string(s.reg(3))
}

func connectResult(d dial) result { return result{code: 1, text: "CONNECT", call: &d} }
