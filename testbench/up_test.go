package testbench

import (
	"errors"
	"path/filepath"
	"testing"
)

// TestClaim: a second Up in a directory is told so before it changes anything there.
func TestClaim(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "up")
	release, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := claim(dir); !errors.Is(err, ErrUp) {
		t.Errorf("second claim: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	again()
}
