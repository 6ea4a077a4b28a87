package relay

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"minato/relay/store"
)

// declaredWords are the codes of all words, by the names of their constants.
func declaredWords(t *testing.T) map[string]word {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "words.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]word{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "word" || len(spec.Values) != 1 {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found[spec.Names[0].Name] = word(code)
		return true
	})
	if len(found) < 30 {
		t.Fatalf("words.go declares %d words", len(found))
	}
	return found
}

// TestWordsOfConsole holds the console's two catalogues to every word, cause and step of a diagnosis that the relay may say.
func TestWordsOfConsole(t *testing.T) {
	declared := declaredWords(t)
	wanted := []string{"R11", "W19", "W20", "W21"}
	for _, code := range declared {
		wanted = append(wanted, "word_"+string(code))
	}
	for c := range causeTexts {
		if strings.HasPrefix(string(c), "R") {
			wanted = append(wanted, "name_"+string(c))
		}
	}
	for _, step := range []string{stepPolicy, stepPort, stepSession, stepDevice, stepBanner, stepTLS} {
		wanted = append(wanted, "step_"+step)
	}
	for _, result := range []string{resultOK, resultFailed, resultSkipped} {
		wanted = append(wanted, "result_"+result)
	}
	for _, typ := range []store.EntryType{store.Access, store.Connected, store.Denied, store.Refused, store.Closed, store.Created, store.Deleted, store.Expired, store.Extended} {
		wanted = append(wanted, "type_"+string(typ))
	}
	key := regexp.MustCompile(`(?m)(?:^ *|[,{] *)'?([A-Za-z][\w-]*)'?: `)
	for _, lang := range []string{"en", "ja"} {
		source, err := os.ReadFile(filepath.Join("console", "src", lang+".js"))
		if err != nil {
			t.Fatal(err)
		}
		has := map[string]bool{}
		for _, m := range key.FindAllStringSubmatch(string(source), -1) {
			has[m[1]] = true
		}
		for _, k := range wanted {
			if !has[k] {
				t.Errorf("%s.js has no %s", lang, k)
			}
		}
		for k := range has {
			if code, ok := strings.CutPrefix(k, "word_"); ok && !slices.Contains(wanted, k) {
				t.Errorf("%s.js has a word that nothing says: %s", lang, code)
			}
		}
	}
}

// TestWordsInEnglish holds every call of say to the arguments that its word takes, and every word to being said.
func TestWordsInEnglish(t *testing.T) {
	declared := declaredWords(t)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && file != "words.go" {
				used[id.Name] = true
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "say" || call.Ellipsis.IsValid() {
				return true
			}
			name := call.Args[0].(*ast.Ident).Name
			code, ok := declared[name]
			if !ok {
				return true // a variable
			}
			used[name] = true
			takes := strings.Count(english[code], "%")
			if strings.Contains(english[code], "%[") {
				takes = 2
			}
			if takes != len(call.Args)-1 {
				t.Errorf("%s: %s takes %d arguments, not %d", file, name, takes, len(call.Args)-1)
			}
			return true
		})
	}
	for name, code := range declared {
		if english[code] == "" {
			t.Errorf("%s has no English", name)
		}
		if !used[name] && name != "wordEnd" {
			t.Errorf("nothing says %s", name)
		}
	}
	for words, want := range map[*store.Words]string{
		{Code: "connection"}:                                   "connection",
		{Code: "refused", Args: []string{"R01"}}:               "end without a byte: ssh-on-tls",
		{Code: "end", Args: []string{"client-error", "reset"}}: "end: client error: reset",
		{Code: "first bytes (ssh)"}:                            "first bytes (ssh)", // of an older relay
	} {
		if got := inEnglish(*words); got != want {
			t.Errorf("%v is %q, want %q", *words, got, want)
		}
	}
}
