package scenario

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"

	"minato/testbench/env"
)

const digestPort = 7777

var halfClose = Scenario{
	Name: "half-close",
	Doc:  "A client that closes its direction still gets the whole answer, and its end of data reaches the device, with the TLS option ON and OFF.",
	On:   both,
	Setup: func(c *env.Config) {
		c.Services = append(c.Services, env.Service{Name: "digest", Port: digestPort, Handle: answerDigest})
	},
	Run: func(ctx context.Context, e *env.Env) error {
		for _, tls := range []bool{true, false} {
			m, err := mapFor(ctx, e, digestPort, env.MapOptions{TLS: tls})
			if err != nil {
				return err
			}
			if err := askDigest(ctx, m); err != nil {
				return fmt.Errorf("with the TLS option %v: %w", tls, err)
			}
		}
		return nil
	},
}

// answerDigest says the SHA-256 of what came, once the client has closed its direction: only a half-close gets an answer.
func answerDigest(c net.Conn) {
	h := sha256.New()
	n, err := io.Copy(h, c)
	if err == nil {
		fmt.Fprintf(c, "%d bytes, %x\n", n, h.Sum(nil))
	}
}

func askDigest(ctx context.Context, m *env.Mapping) error {
	c, err := m.Dialer()(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	}
	request := make([]byte, 1<<20)
	for i := range request {
		request[i] = byte(i * 7)
	}
	if _, err := c.Write(request); err != nil {
		return err
	}
	half, ok := c.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("%T cannot close one direction", c)
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		return fmt.Errorf("reading the answer after closing our direction: %w", err)
	}
	if want := fmt.Sprintf("%d bytes, %x\n", len(request), sha256.Sum256(request)); string(answer) != want {
		return fmt.Errorf("the device answered %q, wanted %q", answer, want)
	}
	return nil
}
