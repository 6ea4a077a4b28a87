package relay

import (
	"encoding/json"
	"fmt"
	"net/http"

	"minato/relay/relayapi"
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
)

// apiErrorf makes an error answer: the only form there is. User errors are never 5xx: Napter's command line would try again for
// two minutes.
func apiErrorf(status int, code, format string, args ...any) *relayapi.Error {
	return &relayapi.Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// badField is a 400 that names the field, its value and what is allowed.
func badField(field string, value any, allowed string) *relayapi.Error {
	return apiErrorf(http.StatusBadRequest, codeBadField, "%s %s is not allowed: %s", field, quote(value), allowed)
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
