package scenario

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"minato/relay"
	"minato/testbench/env"
)

// refusal is a story of a client that a mapping with the TLS option ON turns away: without a byte, in order, and with the cause in the audit log.
type refusal struct {
	name, doc string
	port      int
	code      string // in the audit log
	protocol  string // that it names; "": none
	device    string // that it says the device speaks; "": it does not ask
	mistake   func(ctx context.Context, m *env.Mapping, c net.Conn) error
}

// refusals by what the client does. SSH and RDP have stories of their own.
var refusals = []refusal{
	{"http-tls-refused", "A browser that says http:// where the TLS option is ON gets an orderly end, and the log says to use https:// (R03).", 80, "R03", "http", "",
		says("GET / HTTP/1.1\r\nHost: device\r\n\r\n")},
	{"modbus-tls-refused", "A Modbus/TCP client without a tunnel gets an orderly end, and the log says to put a tunnel before it (R04).", 502, "R04", "modbus", "",
		says("\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01")},
	{"unknown-tls-refused", "A protocol that nobody knows is not TLS either: an orderly end, and the log says so (R05).", 80, "R05", "", "",
		says("\x10\x0e\xff\xfeHELLO\x00\x01\x02")},
	{"broken-hello-refused", "A ClientHello that breaks off never reaches the device: it ends in order, as no TLS (R05).", 80, "R05", "tls", "",
		saysAndEnds("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")},
	{"silent-tls-refused", "A VNC viewer without a tunnel waits for the device; the relay asks the device, and the log names VNC and the tunnel (R06).", 5900, "R06", "", "rfb",
		says("")},
	{"old-tls-refused", "A client that knows TLS 1.1 at most is told by the log to be updated (R15); the device is not bothered.", 80, "R15", "tls", "",
		func(ctx context.Context, m *env.Mapping, c net.Conn) error {
			old := tls.Client(c, &tls.Config{ServerName: m.Hostname, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, InsecureSkipVerify: true})
			if err := old.HandshakeContext(ctx); err == nil {
				return errors.New("the relay shook hands with TLS 1.1")
			}
			return errEnded
		}},
	{"certificate-rejected", "A client that does not trust the relay's CA hangs up, and the log says to install it (R14).", 80, "R14", "tls", "",
		func(ctx context.Context, m *env.Mapping, c net.Conn) error {
			err := tls.Client(c, &tls.Config{ServerName: m.Hostname}).HandshakeContext(ctx)
			var untrusted *tls.CertificateVerificationError
			if !errors.As(err, &untrusted) {
				return fmt.Errorf("the handshake ended with %v, wanted an untrusted certificate", err)
			}
			return errEnded
		}},
}

// errEnded is a mistake that has seen the end itself.
var errEnded = errors.New("the end was seen")

func says(text string) func(context.Context, *env.Mapping, net.Conn) error {
	return func(_ context.Context, _ *env.Mapping, c net.Conn) error {
		_, err := c.Write([]byte(text))
		return err
	}
}

func saysAndEnds(text string) func(context.Context, *env.Mapping, net.Conn) error {
	return func(ctx context.Context, m *env.Mapping, c net.Conn) error {
		if err := says(text)(ctx, m, c); err != nil {
			return err
		}
		return c.(interface{ CloseWrite() error }).CloseWrite()
	}
}

func (r refusal) scenario() Scenario {
	return Scenario{
		Name: r.name, Doc: r.doc, On: userspace,
		Setup: func(c *env.Config) {
			c.Relay = func(c *relay.Config) {
				c.SilenceTimeout = 30 * time.Second // a busy machine may be late with what a client says at once
				if r.code == "R06" {
					c.SilenceTimeout = time.Second
				}
			}
		},
		Run: func(ctx context.Context, e *env.Env) error {
			m, err := mapFor(ctx, e, r.port, env.MapOptions{TLS: true})
			if err != nil {
				return err
			}
			c, err := m.Dial(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			switch err := r.mistake(ctx, m, c); {
			case errors.Is(err, errEnded):
			case err != nil:
				return err
			default:
				if err := expectOrderlyEnd(ctx, c); err != nil {
					return err
				}
			}
			entry, err := m.AwaitRefusal(ctx, r.code)
			if err != nil {
				return err
			}
			if entry.Protocol != r.protocol || entry.DeviceProtocol != r.device || entry.Reason == "" || entry.BytesUp+entry.BytesDown != 0 {
				return fmt.Errorf("the audit log has %+v; wanted protocol %q, device %q, a reason and no bytes", entry, r.protocol, r.device)
			}
			return nil
		},
	}
}
