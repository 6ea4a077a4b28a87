package tunnel

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"minato/relay/splice"
)

// Verify says what of the server's certificate is checked.
type Verify int

const (
	VerifyName  Verify = iota // the chain, and that the certificate is for ServerName (or one of CheckHost, CheckIP)
	VerifyChain               // the chain; the name only where CheckHost or CheckIP is set. verifyChain = yes
	VerifyPeer                // the server's own certificate is one of those in CAFile; the name as for VerifyChain. verifyPeer = yes
	VerifyNone                // nothing: for a look at a server on a trusted network only
)

// Config is one service. Only Connect is required.
type Config struct {
	Name       string         // of the service, for the log; "": the address of Connect
	Accept     string         // where clients connect, HOST:PORT or PORT; "": 127.0.0.1 and a free port. PORT alone: on 127.0.0.1
	Connect    string         // the TLS server, HOST:PORT
	ServerName string         // sent as SNI and checked; "": the host of Connect
	Verify     Verify         // zero: chain and name
	CheckHost  []string       // accept a certificate for any of these names instead of ServerName
	CheckIP    []netip.Addr   // or for any of these addresses
	RootCAs    *x509.CertPool // trusted authorities; nil: those of CAFile, and without it the computer's own
	CAFile     string         // PEM certificates to trust instead of the computer's own; "": none

	ConnectTimeout time.Duration // for dialling and the TLS handshake together; 0: 15 s, negative: none
	IdleTimeout    time.Duration // ends a connection that moves no byte either way; 0: 12 h, as stunnel has it; negative: none
	CloseTimeout   time.Duration // waits for the other direction once one has ended; 0: 60 s, negative: IdleTimeout

	// Listen and Dial are net.Listen and a net.Dialer unless a test or a proxy brings its own.
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)

	Logger *slog.Logger // nil: silent
	KeyLog io.Writer    // gets the TLS secrets, so that a capture of a test run can be read; no command sets it; nil: nobody does
}

// AcceptAddress is HOST:PORT of what Config.Accept says.
func AcceptAddress(accept string) (string, error) {
	switch {
	case accept == "":
		accept = "127.0.0.1:0"
	case !strings.Contains(accept, ":"):
		accept = "127.0.0.1:" + accept
	}
	if _, _, err := splitHostPort(accept); err != nil {
		return "", fmt.Errorf("accept %q: %w", accept, err)
	}
	return accept, nil
}

func (c Config) withDefaults() (Config, error) {
	host, _, err := splitHostPort(c.Connect)
	if err != nil {
		return c, fmt.Errorf("connect %q: %w", c.Connect, err)
	}
	if host == "" {
		return c, fmt.Errorf("connect %q: no host: want HOST:PORT", c.Connect)
	}
	if c.Accept, err = AcceptAddress(c.Accept); err != nil {
		return c, err
	}
	if c.Verify == VerifyNone && len(c.CheckHost)+len(c.CheckIP) > 0 {
		return c, fmt.Errorf("a name to check is given (%s), but the certificate is not to be verified", strings.Join(c.wantNames(), ", "))
	}
	if c.Verify < VerifyName || c.Verify > VerifyNone {
		return c, fmt.Errorf("verify %d: no such value", c.Verify)
	}
	if c.Name == "" {
		c.Name = c.Connect
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	setDefault(&c.ConnectTimeout, 15*time.Second)
	setDefault(&c.IdleTimeout, 12*time.Hour)
	setDefault(&c.CloseTimeout, time.Minute)
	if c.Listen == nil {
		c.Listen = net.Listen
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// splitHostPort is net.SplitHostPort with a port that is a number.
func splitHostPort(address string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(address)
	if err != nil {
		return "", "", fmt.Errorf("want HOST:PORT")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return host, port, nil
}

func setDefault(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

// spliceConfig: with no close timeout, splice falls back to the idle timeout.
func (c Config) spliceConfig() splice.Config {
	return splice.Config{IdleTimeout: max(c.IdleTimeout, 0), CloseTimeout: max(c.CloseTimeout, 0)}
}
