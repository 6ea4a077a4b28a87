package atline

import (
	"strings"

	"github.com/warthog618/modem/at"
)

// The errors of a command that the modem refused, as github.com/warthog618/modem/at makes them.
type (
	CMEError     = at.CMEError     // +CME ERROR: the code or its text (27.007, 9.2)
	CMSError     = at.CMSError     // +CMS ERROR (27.005, 3.2.5)
	ConnectError = at.ConnectError // NO CARRIER, BUSY ... in answer to a dial
)

// ErrError is the modem's plain ERROR.
var ErrError = at.ErrError

// result is a final result code's meaning (V.250, 5.7.1).
type result int

const (
	resultNone    result = iota // not a final result
	resultOK                    //
	resultError                 // ERROR in any wording
	resultCMx                   // +CME ERROR, +CMS ERROR
	resultConnect               // CONNECT, with or without text
	resultCall                  // NO CARRIER and its kind: final for a dial, unsolicited otherwise
)

// wordings are the final results that are compared as a whole. Not all are in the standard: some modems write NO DIAL TONE,
// and Huawei's and ZTE's write COMMAND NOT SUPPORT.
var wordings = map[string]result{
	"OK":                      resultOK,
	"ERROR":                   resultError,
	"NOT SUPPORTED":           resultError,
	"NOT SUPPORT":             resultError,
	"COMMAND NOT SUPPORT":     resultError,
	"OPERATION NOT SUPPORTED": resultError,
	"TOO MANY PARAMETERS":     resultError,
	"NO CARRIER":              resultCall,
	"BUSY":                    resultCall,
	"NO ANSWER":               resultCall,
	"NO DIALTONE":             resultCall,
	"NO DIAL TONE":            resultCall,
	"DELAYED":                 resultCall,
	"BLACKLISTED":             resultCall,
}

func parseResult(line string) result {
	if r, ok := wordings[line]; ok {
		return r
	}
	switch {
	case strings.HasPrefix(line, "+CME ERROR:"), strings.HasPrefix(line, "+CMS ERROR:"):
		return resultCMx
	case line == "CONNECT", strings.HasPrefix(line, "CONNECT "):
		return resultConnect
	case strings.HasPrefix(line, "ERROR:"):
		return resultError
	}
	return resultNone
}

// parseNumericResult reads a result in the short form of ATV0 (V.250, 6.2.6). Only basic commands that give no information
// are answered so: the E0V1 that a line begins with, and AT.
func parseNumericResult(line string) result {
	switch line {
	case "0":
		return resultOK
	case "4":
		return resultError
	}
	return resultNone
}
