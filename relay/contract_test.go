package relay

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"minato/relay/relayapi"
)

// contract is an OpenAPI document, ready to judge.
type contract struct {
	doc  *openapi3.T
	mux  *http.ServeMux // finds a request's operation
	part bool           // what has no path in it is not its business
}

// contracts are the document that the relay serves, and what SORACOM's own says of the same calls.
type contracts struct{ ours, napters *contract }

type operation struct {
	path, method string
	item         *openapi3.PathItem
	op           *openapi3.Operation
}

func (operation) ServeHTTP(http.ResponseWriter, *http.Request) {}

var loadContracts = sync.OnceValues(func() (cs contracts, err error) {
	openapi3filter.RegisterBodyDecoder("application/x-pem-file", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.FileBodyDecoder)
	theirs, err := os.ReadFile("testdata/napter.yaml")
	if err != nil {
		return cs, err
	}
	if cs.ours, err = loadContract(openAPI); err != nil {
		return cs, err
	}
	if cs.napters, err = loadContract(theirs); err != nil {
		return cs, err
	}
	cs.napters.part = true
	return cs, nil
})

func loadContract(document []byte) (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	c := &contract{doc: doc, mux: http.NewServeMux()}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			c.mux.Handle(method+" /v1"+path, operation{path, method, item, op})
		}
	}
	return c, nil
}

// check holds one exchange to both.
func (cs contracts) check(req *http.Request, status int, header http.Header, answer []byte) error {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	for _, c := range []*contract{cs.ours, cs.napters} {
		req.Body = io.NopCloser(bytes.NewReader(body))
		if err := c.check(req, status, header, answer); err != nil {
			return fmt.Errorf("%s: %w", c.doc.Info.Title, err)
		}
	}
	return nil
}

// judge is a transport that holds every request and answer to the contract. Requests that are bad on purpose must get a 4xx.
type judge struct {
	t    *testing.T
	next http.RoundTripper
}

func (j judge) RoundTrip(req *http.Request) (*http.Response, error) {
	c, err := loadContracts()
	if err != nil {
		return nil, err
	}
	var body []byte
	if req.Body != nil {
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body.Close()
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	asked := req.Clone(req.Context())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := j.next.RoundTrip(req)
	if err != nil || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return resp, err
	}
	answer, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	if err := c.check(asked, resp.StatusCode, resp.Header, answer); err != nil {
		j.t.Errorf("%s %s %s: %v", req.Method, req.URL, body, err)
	}
	return resp, nil
}

// check holds one exchange to the contract.
func (c *contract) check(req *http.Request, status int, header http.Header, answer []byte) error {
	found, pattern := c.mux.Handler(req)
	op, ok := found.(operation)
	if !ok && c.part {
		return nil
	}
	if !ok {
		if status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			return fmt.Errorf("status %d, but the contract has no such path", status)
		}
		return nil
	}
	params := map[string]string{}
	wild := http.NewServeMux()
	wild.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
		for _, p := range append(slices.Clone(op.item.Parameters), op.op.Parameters...) {
			if p.Value.In == "path" {
				params[p.Value.Name] = r.PathValue(p.Value.Name)
			}
		}
	})
	again := req.Clone(req.Context())
	again.Body = http.NoBody
	wild.ServeHTTP(nil, again)

	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true}
	if len(req.Header.Get("Content-Type")) == 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	in := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Options: options,
		Route: &routers.Route{Spec: c.doc, Path: op.path, PathItem: op.item, Method: op.method, Operation: op.op},
	}
	if err := openapi3filter.ValidateRequest(req.Context(), in); err != nil && status < 400 {
		return fmt.Errorf("the contract does not allow the request, but it was answered with %d: %w", status, err)
	}
	if status >= 500 {
		return fmt.Errorf("status %d: %s", status, answer)
	}
	err := openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(answer)), Options: options,
	})
	if err != nil {
		return fmt.Errorf("status %d, answer %s: %w", status, answer, err)
	}
	return nil
}

// Each route stands in the contract with the same need of credentials and the same good status, and nothing else stands there.
func TestContractHasEveryRoute(t *testing.T) {
	cs, err := loadContracts()
	if err != nil {
		t.Fatal(err)
	}
	c := cs.ours
	routes := map[string]bool{}
	for _, rt := range apiRoutes {
		method, path, _ := strings.Cut(rt.pattern, " ")
		routes[rt.pattern] = true
		item := c.doc.Paths.Value(strings.TrimPrefix(path, "/v1"))
		if item == nil || item.GetOperation(method) == nil {
			t.Errorf("%s is not in the contract", rt.pattern)
			continue
		}
		op := item.GetOperation(method)
		if op.Responses.Status(rt.status) == nil {
			t.Errorf("%s: the contract has no %d", rt.pattern, rt.status)
		}
		if open := op.Security != nil && len(*op.Security) == 0; open != (rt.role == "") {
			t.Errorf("%s: role %q, but the contract says open=%v", rt.pattern, rt.role, open)
		}
	}
	for path, item := range c.doc.Paths.Map() {
		for method := range item.Operations() {
			if pattern := method + " /v1" + path; !routes[pattern] {
				t.Errorf("%s is in the contract only", pattern)
			}
		}
	}
	for path, item := range cs.napters.doc.Paths.Map() {
		for method := range item.Operations() {
			if pattern := method + " /v1" + path; !routes[pattern] {
				t.Errorf("%s is Napter's, and no route", pattern)
			}
		}
	}
}

// What the soracom command sends, byte by byte, gets a good answer. The credentials in it are replaced by good ones.
func TestSoracomCommand(t *testing.T) {
	r := startRelay(t, Config{})
	files, err := filepath.Glob("testdata/soracom/*.http")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	status := map[string]int{"logout": 204, "port-mappings-create": 201, "port-mappings-create-for-sim": 201, "port-mappings-delete": 204}
	// Lists of one SIM are a 404 while they are empty, so the creating comes first and the deleting last.
	order := func(name string) int {
		switch {
		case strings.Contains(name, "create"):
			return 0
		case strings.Contains(name, "delete"), strings.Contains(name, "logout"):
			return 2
		}
		return 1
	}
	slices.SortStableFunc(files, func(a, b string) int { return order(a) - order(b) })
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".http")
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			auth, err := r.Auth(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			port := 0
			if list, err := r.ListPortMappings(t.Context()); err == nil && len(list) > 0 {
				port = list[0].Port
			}
			key, secret := "keyId-demo", "secret-demo"
			text := strings.NewReplacer(
				"api-00000000-0000-4000-8000-000000000000", auth.APIKey,
				"h.eyJvcGVyYXRvciI6eyJvcGVyYXRvcklkIjoiT1AwMDAwMDAwMDAxIn19.s", auth.Token,
				`"`+key+`"`, `"`+r.AuthKeyID+`"`, `"`+secret+`"`, `"`+r.AuthKey+`"`,
				"/127.0.0.1/34567", "/127.0.0.1/"+strconv.Itoa(port),
			).Replace(string(raw))
			head, body, _ := strings.Cut(text, "\r\n\r\n")
			if name == "auth" {
				head = strings.Replace(head, "Content-Length: 50", "Content-Length: "+strconv.Itoa(len(body)), 1)
			}
			got, header, answer := r.raw(head + "\r\n\r\n" + body)
			want := status[name]
			if want == 0 {
				want = 200
			}
			if got != want {
				t.Fatalf("status %d, want %d: %s", got, want, answer)
			}
			c, err := loadContracts()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.check(parseRequest(t, head+"\r\n\r\n"+body), got, header, answer); err != nil {
				t.Error(err)
			}
		})
	}
}

// Every message of the API has its Japanese.
func TestMessagesAreTranslated(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	formatAt := map[string]int{"apiErrorf": 2, "badField": 2, "textf": 0}
	seen := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, ok := call.Fun.(*ast.Ident)
			if !ok {
				return true
			}
			i, ok := formatAt[name.Name]
			if !ok || len(call.Args) <= i {
				return true
			}
			lit, ok := call.Args[i].(*ast.BasicLit)
			if !ok {
				return true
			}
			format, _ := strconv.Unquote(lit.Value)
			seen[format] = true
			if japanese[format] == "" {
				t.Errorf("%s: %q has no Japanese", file, format)
			} else if strings.Count(format, "%") != strings.Count(japanese[format], "%") {
				t.Errorf("%q and %q take different arguments", format, japanese[format])
			}
			return true
		})
	}
	for format := range japanese {
		if !seen[format] {
			t.Errorf("nothing says %q", format)
		}
	}
}

func TestErrorsInJapanese(t *testing.T) {
	r := startRelay(t, Config{})
	for _, tt := range []struct{ method, path, body, want string }{
		{"POST", "/v1/port_mappings", `{"destination":{"simId":"x","port":0}}`, `"message":"destination.port に 0 は指定できません: デバイス側のポート番号（1 から 65535）を指定してください"`},
		{"GET", "/v1/sims/nobody", ``, `simId \"nobody\" は存在しません`},
		{"GET", "/v1/nothing", ``, `パス /v1/nothing は存在しません`},
		{"POST", "/v1/auth", `{"email":"a@example.com","password":"x"}`, `email によるサインインはありません`},
	} {
		_, answer, _ := r.request(tt.method, tt.path, tt.body, map[string]string{"X-Soracom-Lang": "ja"})
		if !strings.Contains(answer, tt.want) {
			t.Errorf("%s %s: %s, want %s", tt.method, tt.path, answer, tt.want)
		}
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	r := startRelay(t, Config{})
	status, answer, header := r.request("GET", "/v1/openapi.yaml", "", map[string]string{relayapi.HeaderToken: ""})
	if status != 200 || answer != string(openAPI) || header.Get("Content-Type") != "application/yaml" {
		t.Errorf("status %d, %d bytes, %v", status, len(answer), header)
	}
	if status, answer, _ := r.request("GET", "/v1/version", "", nil); status != 200 || !strings.Contains(answer, `"api":"v1"`) {
		t.Errorf("version: %d %s", status, answer)
	}
}
