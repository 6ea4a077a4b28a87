package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"minato/relay"
)

// stoppedHint is what to do where the relay has its state folder.
func stoppedHint(err error) string {
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return "backup and restore work while the relay is stopped"
	}
	return ""
}

type backupCommand struct {
	configFlag
	File string `arg:"" help:"File to write; it must not exist. It holds secrets and gets mode 0600."`
}

// Run saves the state.
func (cmd *backupCommand) Run(ctx context.Context, s streams) error {
	c, err := cmd.read()
	if err != nil {
		return err
	}
	n, err := relay.Backup(ctx, c.relay.Dir, cmd.File)
	if err != nil {
		hint := stoppedHint(err)
		if errors.Is(err, fs.ErrExist) {
			hint = "name a file that is not there yet"
		}
		return &exitError{status: exitUnreachable, err: err, hint: hint}
	}
	fmt.Fprintf(s.out, "%s: %d records\n", cmd.File, n)
	return nil
}

type restoreCommand struct {
	configFlag
	File string `arg:"" help:"File that backup wrote."`
}

// Run fills an empty state folder.
func (cmd *restoreCommand) Run(ctx context.Context, s streams) error {
	c, err := cmd.read()
	if err != nil {
		return err
	}
	n, err := relay.Restore(ctx, c.relay.Dir, cmd.File)
	if err != nil {
		return &exitError{status: exitUnreachable, err: err, hint: stoppedHint(err)}
	}
	fmt.Fprintf(s.out, "%d records restored\n", n)
	return nil
}
