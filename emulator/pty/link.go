package pty

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// symlink makes the stable name in one step: a reader finds the old device or the new one, never none.
func symlink(target, link string) error {
	dir, err := os.MkdirTemp(filepath.Dir(link), ".link-")
	if err != nil {
		return fmt.Errorf("making the link %q: %w", link, err)
	}
	defer os.Remove(dir)
	next := filepath.Join(dir, filepath.Base(link))
	if err := os.Symlink(target, next); err != nil {
		return fmt.Errorf("making the link %q: %w", link, err)
	}
	if err := os.Rename(next, link); err != nil {
		return errors.Join(fmt.Errorf("making the link %q: %w", link, err), os.Remove(next))
	}
	return nil
}

// unlink removes the stable name if it still leads to our device: another emulator may have taken it over.
func unlink(link, target string) error {
	at, err := os.Readlink(link)
	if errors.Is(err, fs.ErrNotExist) || err == nil && at != target {
		return nil
	}
	if err == nil {
		err = os.Remove(link)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the link %q: %w", link, err)
	}
	return nil
}
