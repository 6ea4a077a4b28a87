package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"

	"minato/relay"
)

type configFlag struct {
	Config string `short:"c" required:"" help:"Configuration file; relay/reference.yaml documents it." placeholder:"FILE"`
}

func (f configFlag) read() (config, error) {
	c, err := readConfig(f.Config)
	if err != nil {
		return c, &exitError{status: exitUsage, err: err}
	}
	return c, nil
}

type runCommand struct{ configFlag }

// Run serves until ctx ends.
func (cmd *runCommand) Run(ctx context.Context, p *program, s streams) error {
	c, err := cmd.read()
	if err != nil {
		return err
	}
	c.relay.Logger = p.logger(s.err, c)
	if d, ok := c.relay.Directory.(*relay.SoracomDirectory); ok {
		d.Logger = c.relay.Logger
	}
	c.relay.BootstrapKey = func(id, secret string) {
		fmt.Fprintf(s.out, "authKeyId: %s\nauthKey:   %s\n", id, secret)
	}
	r, err := relay.New(c.relay)
	if err != nil {
		return &exitError{status: exitUsage, err: err}
	}
	telling, stop := context.WithCancel(ctx)
	var told sync.WaitGroup
	told.Go(func() { newSystemd(c.relay.Logger, r.Alive).tell(telling, r.Ready()) }) // ends at stop
	err = r.Run(ctx)
	stop()
	told.Wait()
	if err != nil {
		return &exitError{status: exitUnreachable, err: err, hint: runHint(err)}
	}
	return nil
}

// runHint is what to do about the usual reasons why a relay does not start.
func runHint(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program has this address, perhaps another relay: end it, or choose another address in the configuration, as api.listen"
	case errors.Is(err, syscall.EWOULDBLOCK):
		return "another relay runs on this state folder: end it first, or name another folder with state in the configuration"
	}
	return ""
}

type checkCommand struct {
	File string `arg:"" help:"Configuration file."`
}

// Run checks a configuration and the certificate files that it names.
func (cmd *checkCommand) Run(s streams) error {
	c, err := configFlag{cmd.File}.read()
	if err != nil {
		return err
	}
	if c.relay.Certificates != nil {
		if _, err := c.relay.Certificates(slog.New(slog.DiscardHandler)); err != nil {
			return &exitError{status: exitUsage, err: fmt.Errorf("%s: %w", cmd.File, err)}
		}
	}
	if d, ok := c.relay.Directory.(*relay.FileDirectory); ok {
		if _, err := d.SIMs(context.Background()); err != nil {
			return &exitError{status: exitUsage, err: fmt.Errorf("%s: devices.file: %w", cmd.File, err)}
		}
	}
	fmt.Fprintf(s.out, "%s: good\n", cmd.File)
	return nil
}

// withKeys opens the state folder for a key command.
func (f configFlag) withKeys(ctx context.Context, do func(*relay.Keys) error) error {
	c, err := f.read()
	if err != nil {
		return err
	}
	keys, err := relay.OpenKeys(ctx, c.relay.Dir, nil)
	if err != nil {
		return &exitError{status: exitUnreachable, err: err, hint: "keys are managed while the relay is stopped"}
	}
	return errors.Join(do(keys), keys.Close())
}

type createCommand struct {
	configFlag
	Name string            `help:"What the key is for." default:""`
	Role string            `help:"What it may do: admin, operator (mappings and connections) or viewer (reads)." enum:"admin,operator,viewer" default:"admin"`
	SIM  []string          `help:"Id of a SIM that it sees; may be given again. Without --sim and --tag it sees all." placeholder:"ID"`
	Tag  map[string]string `help:"It sees the SIMs that have this tag; may be given again." placeholder:"NAME=VALUE"`
}

// Run makes a key.
func (cmd *createCommand) Run(ctx context.Context, s streams) error {
	return cmd.withKeys(ctx, func(k *relay.Keys) error {
		id, secret, err := k.Create(ctx, relay.Key{Name: cmd.Name, Role: cmd.Role, SIMs: cmd.SIM, Tags: cmd.Tag})
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "authKeyId: %s\nauthKey:   %s\n", id, secret)
		return nil
	})
}

type listCommand struct{ configFlag }

// Run lists the keys.
func (cmd *listCommand) Run(ctx context.Context, s streams) error {
	return cmd.withKeys(ctx, func(k *relay.Keys) error {
		keys, err := k.List(ctx)
		if err != nil {
			return err
		}
		for _, key := range keys {
			fmt.Fprintf(s.out, "%s  %s  %s  %s%s\n", key.ID, key.Role, key.CreatedAt.UTC().Format("2006-01-02T15:04:05Z"), key.Name, limits(key))
		}
		return nil
	})
}

// limits are the SIMs that a key sees, in the form of create's flags; "" where it sees all.
func limits(key relay.Key) string {
	var b strings.Builder
	for _, sim := range key.SIMs {
		fmt.Fprintf(&b, "  --sim %s", sim)
	}
	for _, tag := range slices.Sorted(maps.Keys(key.Tags)) {
		fmt.Fprintf(&b, "  --tag %s=%s", tag, key.Tags[tag])
	}
	return b.String()
}

type revokeCommand struct {
	configFlag
	ID string `arg:"" help:"The key's id, keyId-..."`
}

// Run removes a key.
func (cmd *revokeCommand) Run(ctx context.Context) error {
	return cmd.withKeys(ctx, func(k *relay.Keys) error { return k.Revoke(ctx, cmd.ID) })
}
