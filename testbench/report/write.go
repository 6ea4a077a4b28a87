package report

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteAll writes index.html, junit.xml and report.json into dir, which it makes. Each file appears whole or not at all.
func WriteAll(dir string, run Run) error {
	for _, f := range []struct {
		name  string
		write func(io.Writer, Run) error
	}{
		{"index.html", WriteHTML},
		{"junit.xml", WriteJUnit},
		{"report.json", WriteJSON},
	} {
		if err := WriteFile(dir, f.name, run, f.write); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile writes one format into dir, which it makes; the file appears whole or not at all.
func WriteFile(dir, name string, run Run, write func(io.Writer, Run) error) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the report's directory: %w", err)
	}
	f, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("writing %s: %w", name, err)
		}
	}()
	out := bufio.NewWriter(f)
	if err := write(out, run); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil { // a report is for others too; CreateTemp makes it ours alone
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
