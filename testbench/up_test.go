package testbench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"minato/testbench/env"
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

// TestMappingsEndWithUp: what it made is gone at its end, also beside one that somebody has closed before.
func TestMappingsEndWithUp(t *testing.T) {
	t.Parallel()
	e, err := env.Start(t.Context(), env.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	c, err := e.Client(0)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := c.Map(t.Context(), 80, env.MapOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { err := open(ctx, e, in); in.Close(); done <- err }() // ends with ctx
	var text strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(&text, lines.Text())
		if !strings.Contains(lines.Text(), "Ctrl-C") {
			continue
		}
		all, err := c.API.ListPortMappings(t.Context())
		if err != nil || len(all) != 1+len(upServices) {
			t.Errorf("%d mappings while it is up, %v", len(all), err)
		}
		for _, m := range all {
			if m.Destination.Port == 22 {
				err = c.API.DeletePortMapping(t.Context(), m.IPAddress, m.Port)
			}
		}
		if err != nil {
			t.Error(err)
		}
		cancel()
	}
	if err := <-done; err != nil {
		t.Errorf("%v\n%s", err, text.String())
	}
	left, err := c.API.ListPortMappings(t.Context())
	if err != nil || len(left) != 1 || left[0].Endpoint != theirs.Endpoint {
		t.Errorf("left: %v, %v; wanted %s alone, which it did not make\n%s", left, err, theirs.Endpoint, text.String())
	}
}
