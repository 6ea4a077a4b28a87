package relay

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"minato/relay/relayapi"
)

// maxBody is the longest body of a request.
const maxBody = 64 << 10

// decodeBody reads exactly one JSON object with known fields. A field that is not known is an error: most often it is a known one
// misspelt, and what it should have limited would be open.
func decodeBody(c *call, into any) error {
	body, err := io.ReadAll(c.Body)
	if err != nil {
		return bodyError(err)
	}
	err = decodeObject(body, into)
	if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
		err = decodeObject(wholeNumbers(body), into)
	}
	if err != nil {
		return bodyError(err)
	}
	return nil
}

// errGoesOn is of a body that holds more than its object.
var errGoesOn = errors.New("the body goes on after the JSON object")

func decodeObject(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errGoesOn
	}
	return nil
}

// decodeOptionalBody is decodeBody where no body at all means an empty object.
func decodeOptionalBody(c *call, into any) error {
	if c.ContentLength == 0 {
		return nil
	}
	return decodeBody(c, into)
}

// bodyError says what was wrong in words of JSON, not of Go.
func bodyError(err error) *apiError {
	var (
		tooLarge *http.MaxBytesError
		syntax   *json.SyntaxError
		kind     *json.UnmarshalTypeError
	)
	const unknown = "json: unknown field "
	switch said := err.Error(); {
	case errors.As(err, &tooLarge):
		return apiErrorf(http.StatusRequestEntityTooLarge, codeTooLarge, "the body is longer than %d bytes", maxBody)
	case errors.Is(err, errGoesOn):
		return apiErrorf(http.StatusBadRequest, codeBadBody, "the body goes on after the JSON object")
	case errors.As(err, &kind):
		field := textf(kind.Field)
		if kind.Field == "" {
			field = textf("the body")
		}
		return apiErrorf(http.StatusBadRequest, codeBadField, "%s is a %s: allowed is %s", field, kind.Value, jsonKind(kind.Type.Kind()))
	case strings.HasPrefix(said, unknown):
		return apiErrorf(http.StatusBadRequest, codeBadBody, "unknown field %s", strings.TrimPrefix(said, unknown))
	case errors.As(err, &syntax):
		return apiErrorf(http.StatusBadRequest, codeBadBody, "the body is not JSON: %s at byte %d", strings.TrimPrefix(said, "json: "), syntax.Offset)
	case errors.Is(err, io.EOF):
		return apiErrorf(http.StatusBadRequest, codeBadBody, "the body is empty: a JSON object is needed")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return apiErrorf(http.StatusBadRequest, codeBadBody, "the body is not JSON: it ends too early")
	}
	return apiErrorf(http.StatusBadRequest, codeBadBody, "the body cannot be read: %v", err)
}

func jsonKind(kind reflect.Kind) text {
	switch kind {
	case reflect.Int, reflect.Int64:
		return textf("a whole number")
	case reflect.Slice:
		return textf("an array")
	case reflect.Struct, reflect.Map:
		return textf("an object")
	case reflect.Bool:
		return textf("true or false")
	case reflect.String:
		return textf("a string")
	}
	return textf("another type")
}

// queryInt reads a whole number of the query string; missing: ifMissing.
func queryInt(c *call, name string, least, most, ifMissing int64) (int64, error) {
	s := c.URL.Query().Get(name)
	if s == "" {
		return ifMissing, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most {
		return 0, badField(name, s, "a whole number from %d to %d", least, most)
	}
	return n, nil
}

// Bounds of what callers name things with, in bytes. The store bounds them too.
const (
	maxID        = 128 // an id, and each part of a path
	maxParameter = 512 // a value of the query string; the audit log's last_evaluated_key has some 220
)

// checkLengths refuses what is too long in a path and a query string.
func checkLengths(c *call, pattern string) error {
	for _, part := range strings.Split(pattern, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			if err := checkLength(strings.TrimSuffix(name, "}"), c.PathValue(strings.TrimSuffix(name, "}")), maxID); err != nil {
				return err
			}
		}
	}
	for name, values := range c.URL.Query() {
		for _, v := range values {
			if err := checkLength(name, v, maxParameter); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkLength(field, value string, most int) error {
	if len(value) > most {
		return badField(field, value, "at most %d bytes", most)
	}
	return nil
}

// maxPage is the most that one page of a list holds.
const maxPage = 1000

// page sorts a list by its keys, cuts one page out of it, and names the next in the answer's header.
func page[T any](c *call, all []T, most int64, key func(T) string) ([]T, error) {
	limit, err := queryInt(c, "limit", 1, most, most)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	if after := c.URL.Query().Get("last_evaluated_key"); after != "" {
		all = slices.DeleteFunc(all, func(x T) bool { return key(x) <= after })
	}
	if int64(len(all)) > limit {
		all = all[:limit]
		c.header.Set(relayapi.HeaderNextKey, key(all[limit-1]))
	}
	return all, nil
}
