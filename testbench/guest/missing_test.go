package guest

import (
	"errors"
	"testing"

	"minato/testbench/env"
)

// TestMissingPrograms: what is not installed is named, with the cure.
func TestMissingPrograms(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, tt := range []struct {
		program string
		err     func() error
	}{
		{"apt-get", func() error { _, err := Build(t.Context(), t.TempDir()); return err }},
		{"qemu-system-x86_64", func() error { _, err := Start(t.Context(), Config{Image: &Image{Arch: "amd64"}}); return err }},
		{"qemu-system-aarch64", func() error { _, err := Start(t.Context(), Config{Image: &Image{Arch: "arm64"}}); return err }},
	} {
		var missing *env.MissingError
		if err := tt.err(); !errors.As(err, &missing) || missing.Program != tt.program || missing.Cure == "" {
			t.Errorf("got %v, want that %s is missing", err, tt.program)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
	}{
		{"no image", Config{}},
		{"too many ports", Config{Image: &Image{}, Serial: []string{"a", "b", "c"}}},
		{"no memory to speak of", Config{Image: &Image{}, Memory: 64}},
	} {
		if err := tt.cfg.validate(); err == nil {
			t.Errorf("%s was taken", tt.name)
		}
	}
}
