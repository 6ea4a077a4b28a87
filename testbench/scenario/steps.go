package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"minato/testbench/check"
	"minato/testbench/env"
)

// vncPassword of the device's screen in every scenario.
const vncPassword = "minato-8"

// mapFor makes a mapping as the first client.
func mapFor(ctx context.Context, e *env.Env, port int, o env.MapOptions) (*env.Mapping, error) {
	c, err := e.Client(0)
	if err != nil {
		return nil, err
	}
	return c.Map(ctx, port, o)
}

// run does a check through the mapping, and keeps its log in the story's.
func run(ctx context.Context, e *env.Env, m *env.Mapping, name string, o check.Options) error {
	return runOver(ctx, e, m.Dialer(), name, o)
}

// runOver is run over any way in, such as a tunnel's port.
func runOver(ctx context.Context, e *env.Env, dial check.Dial, name string, o check.Options) error {
	result, err := check.Funcs[name](ctx, dial, o)
	for _, line := range result.Log {
		e.Step(line.Text, "check", name)
	}
	if err != nil {
		return err
	}
	e.Step(result.Summary, "check", name, "took", result.Duration.Round(time.Millisecond))
	return nil
}

// openScreen connects to the device's screen as the mapping's option wants it, and reads its first words: the connection reaches the device.
func openScreen(ctx context.Context, m *env.Mapping) (net.Conn, error) {
	c, err := m.Dialer()(ctx)
	if err != nil {
		return nil, err
	}
	if err := readBanner(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// readBanner wants an RFB server's first words (RFC 6143 section 7.1.1).
func readBanner(c net.Conn) error {
	b := make([]byte, 12)
	if _, err := io.ReadFull(c, b); err != nil {
		return fmt.Errorf("reading the device's RFB version: %w", err)
	}
	if string(b[:4]) != "RFB " {
		return fmt.Errorf("the device says %q, wanted an RFB version", b)
	}
	return nil
}

// expectNoMappings wants the client to have left no mapping on the relay.
func expectNoMappings(ctx context.Context, c *env.Client) error {
	left, err := c.API.ListPortMappings(ctx)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%d mappings are left", len(left))
	}
	return nil
}

// dialTCP is the way in through a port of this machine.
func dialTCP(address string) check.Dial {
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", address)
	}
}

// expectOrderlyEnd wants the connection to have been ended by a FIN without a byte: what a refused client sees.
func expectOrderlyEnd(ctx context.Context, c net.Conn) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetReadDeadline(deadline); err != nil {
			return err
		}
	}
	b, err := io.ReadAll(c)
	if len(b) > 0 {
		return fmt.Errorf("the relay sent %d bytes to a client that it refuses: %q", len(b), b[:min(len(b), 64)])
	}
	if err != nil {
		return fmt.Errorf("the relay did not end the connection in an orderly way: %w", err)
	}
	return nil
}

// expectCut wants a connection that was open to end, in whatever way, and to carry nothing more.
func expectCut(ctx context.Context, c net.Conn) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetReadDeadline(deadline); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the connection is still open")
	}
	return nil
}

// expectRefusedPort wants nothing to listen on the mapping's port any more.
func expectRefusedPort(ctx context.Context, m *env.Mapping) error {
	c, err := m.Dial(ctx)
	if err == nil {
		c.Close()
		return fmt.Errorf("%s still accepts connections", m.Endpoint)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("dialling %s: %w, wanted connection refused", m.Endpoint, err)
	}
	return nil
}

// expectContains wants a program's output to hold a text.
func expectContains(what string, output []byte, want string) error {
	if !bytes.Contains(output, []byte(want)) {
		return fmt.Errorf("%s says %q, wanted %q in it", what, output, want)
	}
	return nil
}
