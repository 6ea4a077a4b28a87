package main

import (
	"context"
	"fmt"

	"minato/relay"
)

const stoppedHint = "backup and restore work while the relay is stopped"

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
		return &exitError{status: exitUnreachable, err: err, hint: stoppedHint}
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
		return &exitError{status: exitUnreachable, err: err, hint: stoppedHint + ", and restore into an empty state folder"}
	}
	fmt.Fprintf(s.out, "%d records restored\n", n)
	return nil
}
