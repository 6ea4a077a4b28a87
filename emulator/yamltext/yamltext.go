// Package yamltext reads YAML in which what is meant as a text stays as it is written.
package yamltext

import (
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Decode reads a document strictly: unknown keys are errors, and errors have their position.
//
// A text may stand without quotation marks: by YAML's rules the IMSI 001010000000001, the PIN 012345 and the name 1.10 are numbers, and would
// become 69793218561, 5349 and 1.1. The price is that numbers are decimal.
func Decode(text []byte, into any) error {
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
