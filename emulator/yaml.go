package emulator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"minato/emulator/yamltext"
)

// decodeYAML reads a document strictly: unknown keys are errors, and errors have their position. The library panics on some
// documents that are none; that is an error, too.
func decodeYAML(text []byte, into any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this is not YAML that can be read: %v", p)
		}
	}()
	err = yamltext.Decode(text, into)
	var wrong *yaml.TypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Token != nil && wrong.StructFieldName != nil:
		field := *wrong.StructFieldName
		field = strings.ToLower(field[strings.LastIndexByte(field, '.')+1:])
		return fmt.Errorf("[%d:%d] %s %q: must be of type %v", wrong.Token.Position.Line, wrong.Token.Position.Column, field, wrong.Token.Value, wrong.DstType)
	}
	return errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
}
