package scenario

import (
	"context"
	"fmt"
	"slices"

	"minato/testbench/check"
	"minato/testbench/env"
)

var sourceDenied = Scenario{
	Name: "source-denied",
	Doc:  "A client outside the mapping's source ranges gets an orderly FIN; the audit log names its address; the client inside still gets in.",
	On:   both,
	Run: func(ctx context.Context, e *env.Env) error {
		inside, err := e.Client(1)
		if err != nil {
			return err
		}
		m, err := mapFor(ctx, e, 80, env.MapOptions{Sources: []string{inside.Addr.String() + "/32"}})
		if err != nil {
			return err
		}
		if err := expectDenied(ctx, m); err != nil { // made by client 0, which is outside
			return err
		}
		return run(ctx, e, m.From(inside), "http", check.Options{})
	},
}

var defaultSource = Scenario{
	Name: "default-source",
	Doc:  "A mapping made without source ranges admits the address that made it, and no other.",
	On:   both,
	Run: func(ctx context.Context, e *env.Env) error {
		m, err := mapFor(ctx, e, 80, env.MapOptions{})
		if err != nil {
			return err
		}
		own := m.Client.Addr.String() + "/32"
		if !slices.Equal(m.Source.IPRanges, []string{own}) {
			return fmt.Errorf("the mapping admits %q, wanted the caller's own address %q", m.Source.IPRanges, own)
		}
		if err := run(ctx, e, m, "http", check.Options{}); err != nil {
			return err
		}
		other, err := e.Client(1)
		if err != nil {
			return err
		}
		return expectDenied(ctx, m.From(other))
	},
}

// expectDenied wants the mapping's client to be turned away for its address, and the audit log to name it.
func expectDenied(ctx context.Context, m *env.Mapping) error {
	c, err := m.Dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := expectOrderlyEnd(ctx, c); err != nil {
		return err
	}
	entry, err := m.AwaitRefusal(ctx, "R12")
	if err != nil {
		return err
	}
	if want := m.Client.Addr.String(); entry.Direction.SourceIPAddress != want {
		return fmt.Errorf("the audit log says that %q was denied, wanted %q", entry.Direction.SourceIPAddress, want)
	}
	return nil
}
