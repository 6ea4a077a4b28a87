package emulator

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// contract finds the operation of openapi.yaml that a request is for.
var contract = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // the tests' emulators are elsewhere
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.FileBodyDecoder)
	return legacy.NewRouter(doc) // which validates it
})

// judge holds a request and its answer to the contract. A request that it does not allow must be refused.
func judge(t *testing.T, req *http.Request, body []byte, resp *http.Response, answer []byte) {
	t.Helper()
	router, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	if err := check(router, req, body, resp, answer); err != nil {
		t.Errorf("%s %s %s: status %d, %s: %v", req.Method, req.URL.Path, body, resp.StatusCode, answer, err)
	}
}

func check(router routers.Router, req *http.Request, body []byte, resp *http.Response, answer []byte) error {
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	route, params, err := router.FindRoute(req)
	if err != nil {
		want := http.StatusNotFound
		if err.Error() == routers.ErrMethodNotAllowed.Error() { // the router makes another error of the same words
			want = http.StatusMethodNotAllowed
		}
		if resp.StatusCode != want {
			return fmt.Errorf("the contract has no such path and method: %w", err)
		}
		return nil
	}
	options := &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true}
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(req.Context(), in); err != nil && resp.StatusCode < 400 {
		return fmt.Errorf("the contract does not allow the request: %w", err)
	}
	return openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(answer)), Options: options,
	})
}
