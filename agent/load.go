package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile bounds configuration and secret files.
const maxFile = 1 << 20

// Load reads a configuration file. Its errors name the file and the line.
func Load(name string) (Config, error) {
	b, err := readFile(name)
	if err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	c, err := Parse(b)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// Parse reads a configuration, and the files with secrets that it names.
func Parse(b []byte) (Config, error) {
	var c Config
	if err := decode(b, &c); err != nil {
		return Config{}, syntaxError(b, err)
	}
	if err := c.readSecrets(); err != nil {
		return Config{}, positioned(b, err)
	}
	if err := c.Validate(); err != nil {
		return Config{}, positioned(b, err)
	}
	return c, nil
}

// decode reads a document strictly. A text may stand without quotation marks: by YAML's rules the PIN 012345 and the password 1.10 are numbers, and
// would become 5349 and 1.1. The price is that numbers are decimal.
func decode(text []byte, into any) error {
	tokens := lexer.Tokenize(string(text))
	for _, t := range tokens {
		switch t.Type {
		case token.IntegerType, token.OctetIntegerType, token.HexIntegerType, token.BinaryIntegerType, token.FloatType, token.InfinityType, token.NanType:
			if n := token.ToNumber(t.Value); n == nil || fmt.Sprint(n.Value) != t.Value {
				t.Type = token.StringType // which a field that is a number reads, too, if it is decimal
			}
		}
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return err
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil
	}
	return yaml.NodeToValue(file.Docs[0].Body, into, yaml.Strict())
}

// syntaxError words an error of the YAML parser. The text around it is not shown: a password may stand there.
func syntaxError(b []byte, err error) error {
	var te *yaml.TypeError
	if errors.As(err, &te) && te.Token != nil {
		at := te.Token.Position
		return fmt.Errorf("[%d:%d] %s: the value must be of type %s", at.Line, at.Column, pathAt(b, at), te.DstType)
	}
	var ne *yaml.UnexpectedNodeTypeError
	if errors.As(err, &ne) && ne.Token != nil {
		at := ne.Token.Position
		return fmt.Errorf("[%d:%d] %s: a %s must stand here, not a %s", at.Line, at.Column, pathAt(b, at), ne.Expected.YAMLName(), ne.Actual.YAMLName())
	}
	return errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
}

// pathAt names the field at a position.
func pathAt(b []byte, at *token.Position) string {
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return "a field"
	}
	f := &pathFinder{at: at}
	for _, doc := range file.Docs {
		ast.Walk(f, doc.Body)
	}
	return strings.TrimPrefix(f.path, "$.")
}

type pathFinder struct {
	at   *token.Position
	path string
}

// Visit implements ast.Visitor.
func (f *pathFinder) Visit(n ast.Node) ast.Visitor {
	if t := n.GetToken(); t != nil && t.Position != nil && t.Position.Offset == f.at.Offset {
		f.path = n.GetPath()
	}
	return f
}

// readSecrets takes the PIN and the password out of their files.
func (c *Config) readSecrets() error {
	for _, s := range []struct {
		field, file string
		to          *string
	}{{"modem.pin_file", c.Modem.PINFile, &c.Modem.PIN}, {"network.password_file", c.Network.PasswordFile, &c.Network.Password}} {
		if s.file == "" {
			continue
		}
		if *s.to != "" {
			return &FieldError{s.field, s.file, "give the value or its file, not both"}
		}
		b, err := readFile(s.file)
		if err != nil {
			return errors.Join(fmt.Errorf("%w: %w", &FieldError{s.field, s.file, "it cannot be read"}, err)) // a list of one for positioned
		}
		*s.to = strings.TrimRight(string(b), "\r\n")
	}
	return nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	return b, err
}

// positioned puts the line of each field before its error.
func positioned(b []byte, err error) error {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	file, perr := parser.ParseBytes(b, 0)
	for i, e := range list {
		var fe *FieldError
		if perr == nil && errors.As(e, &fe) {
			if line, column, ok := position(file, fe.Field); ok {
				list[i] = fmt.Errorf("[%d:%d] %w", line, column, e)
			}
		}
	}
	return errors.Join(list...)
}

// position finds a field, or the nearest thing around it that the file has.
func position(file *ast.File, field string) (line, column int, ok bool) {
	for field != "" {
		if path, err := yaml.PathString("$." + field); err == nil {
			if node, err := path.FilterFile(file); err == nil && node != nil {
				if t := node.GetToken(); t != nil && t.Position != nil {
					return t.Position.Line, t.Position.Column, true
				}
			}
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return 0, 0, false
}
