package relay

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// API error codes: three letters and four digits, as Napter's clients know them. They are stable.
const (
	codeBadBody      = "MNT0001" // the body is not the JSON that is expected
	codeBadField     = "MNT0002" // a field or parameter has a value that is not allowed
	codeTooLarge     = "MNT0003" // the body is too long
	codeUnauthorized = "MNT0004" // no credentials, or wrong ones
	codeNoSIM        = "MNT0005" // no such SIM
	codeNoMapping    = "MNT0006" // no such port mapping
	codeNoPort       = "MNT0007" // no public port is free
	codeNoPath       = "MNT0008" // no such path
	codeMethod       = "MNT0009" // the path does not take the method
	codeInternal     = "MNT0010" // the relay failed; its log says how
	codeDirectory    = "MNT0011" // the list of SIMs cannot be had now
	codeForbidden    = "MNT0012" // the key's role does not allow it
	codeNoConnection = "MNT0013" // no such live connection
	codeTooMany      = "MNT0014" // too many calls: wait
	codeConflict     = "MNT0015" // somebody else changed it in the meantime
	codeNoKey        = "MNT0016" // no such authentication key
	codeNoOperator   = "MNT0017" // no such operator
	codeNoUser       = "MNT0018" // no such user
	codeNoAgent      = "MNT0019" // the device offers no agent status
)

// apiError is an error answer: the only form there is. User errors are never 5xx: Napter's command line would try again for
// two minutes.
type apiError struct {
	status int
	code   string
	text   text
}

func (e *apiError) Error() string { return e.text.in("en") + " (" + e.code + ")" }

func apiErrorf(status int, code, format string, args ...any) *apiError {
	return &apiError{status, code, textf(format, args...)}
}

// badField is a 400 that names the field, its value and what is allowed.
func badField(field string, value any, allowed string, args ...any) *apiError {
	return apiErrorf(http.StatusBadRequest, codeBadField, "%s %s is not allowed: %s", field, quote(value), textf(allowed, args...))
}

// quote shows a value as JSON, cut where it is long.
func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%q", fmt.Sprint(v))
	}
	const most = 100
	if len(b) > most {
		return string(b[:most]) + "..."
	}
	return string(b)
}
