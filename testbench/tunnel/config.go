package tunnel

import (
	"context"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Verify says what of the server's certificate is checked.
type Verify int

const (
	VerifyName  Verify = iota // the chain, and that the certificate is for ServerName (or one of CheckHost, CheckIP)
	VerifyChain               // the chain; the name only where CheckHost or CheckIP is set. verifyChain = yes
	VerifyPeer                // the server's own certificate is one of those in CAFile. verifyPeer = yes
	VerifyNone                // nothing: for a look at a server on a trusted network only
)

// Config is one service. Only Connect is required.
type Config struct {
	Name       string         // of the service, for the log; "": the address of Connect
	Accept     string         // where clients connect, HOST:PORT or PORT; "": 127.0.0.1 and a free port. No host: 127.0.0.1
	Connect    string         // the TLS server, HOST:PORT
	ServerName string         // sent as SNI and checked; "": the host of Connect
	Verify     Verify         // zero: chain and name
	CheckHost  []string       // accept a certificate for any of these names instead of ServerName
	CheckIP    []netip.Addr   // or for any of these addresses
	RootCAs    *x509.CertPool // trusted authorities; nil: those of CAFile, and without it the computer's own
	CAFile     string         // PEM certificates to trust instead of the computer's own; "": none

	ConnectTimeout time.Duration // for dialling and the TLS handshake together; 0: 15 s, negative: none
	IdleTimeout    time.Duration // ends a connection that moves no byte either way; 0: 12 h, as stunnel has it; negative: none
	CloseTimeout   time.Duration // waits for the other direction once one has ended; 0: 60 s, negative: none

	// Listen and Dial are net.Listen and a net.Dialer unless a test or a proxy brings its own.
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)

	Logger *slog.Logger // nil: silent
}
