package env

import (
	"errors"
	"testing"
)

// TestOutsideTheSourceTree: who installed a package has no source tree, which skips a story and fails none.
func TestOutsideTheSourceTree(t *testing.T) {
	t.Chdir(t.TempDir())
	var missing *MissingError
	if _, err := new(Env).Program("minato-agent"); !errors.As(err, &missing) || missing.Program != "Minato's source tree" {
		t.Errorf("got %v, want a MissingError that names the source tree", err)
	}
}
