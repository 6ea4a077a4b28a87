package scenario

import (
	"context"
	"fmt"
	"io"
	"net"

	"golang.org/x/net/proxy"

	"minato/testbench/env"
)

var deviceToCloud = Scenario{
	Name: "device-to-cloud",
	Doc:  "A program of the device reaches a service of the closed network through the agent's forward, and by its name through the agent's SOCKS5 port; the service is told the device's address.",
	On:   kernel,
	Setup: func(c *env.Config) {
		c.Cloud = func(c net.Conn) {
			host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
			fmt.Fprintf(c, "%s says: ", host)
			io.Copy(c, c)
		}
	},
	Run: func(ctx context.Context, e *env.Env) error {
		c, err := dialTCP(e.Address.Forward)(ctx)
		if err != nil {
			return err
		}
		sim, err := e.ReadSIM(ctx)
		if err != nil {
			return err
		}
		prefix := sim.IPAddress + " says: " // the network tells who calls
		if err := echoes(ctx, c, prefix, "through the forward"); err != nil {
			return fmt.Errorf("through the forward: %w", err)
		}
		e.Step("the forward answers", "listen", e.Address.Forward)
		socks, err := proxy.SOCKS5("tcp", e.Address.AgentSOCKS, nil, nil)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s:%d", env.CloudName, env.CloudAddr.Port())
		if c, err = socks.(proxy.ContextDialer).DialContext(ctx, "tcp", name); err != nil {
			return fmt.Errorf("through the SOCKS5 port to %s: %w", name, err)
		}
		if err := echoes(ctx, c, prefix, "through the SOCKS5 port"); err != nil {
			return fmt.Errorf("through the SOCKS5 port to %s: %w", name, err)
		}
		e.Step("the SOCKS5 port answers", "listen", e.Address.AgentSOCKS, "name", name)
		return nil
	},
}

// echoes sends a text, wants it back behind a prefix, and closes the connection.
func echoes(ctx context.Context, c net.Conn, prefix, text string) error {
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	text = prefix + text
	b := make([]byte, len(text))
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	if string(b) != text {
		return fmt.Errorf("%q came back, wanted %q", b, text)
	}
	return nil
}
