package tunnel

import (
	"context"
	"crypto/tls"
	"io"
	"net"
)

// Tunnel is one running service. Make it with New and call Run once.
type Tunnel struct{}

// New checks the configuration and loads the authorities; it opens no port.
func New(cfg Config) (*Tunnel, error) { panic("stub") }

// Run listens and serves until ctx ends, then closes every connection and returns nil.
func (t *Tunnel) Run(ctx context.Context) error { panic("stub") }

// Ready is closed once the port is open.
func (t *Tunnel) Ready() <-chan struct{} { panic("stub") }

// Addr is where clients connect, known after Ready; nil before.
func (t *Tunnel) Addr() net.Addr { panic("stub") }

// Dial opens one TLS connection to the server without the local port. Its error is an *Error.
func (t *Tunnel) Dial(ctx context.Context) (*tls.Conn, error) { panic("stub") }

// Group runs several tunnels as one.
type Group struct{}

// NewGroup makes a tunnel of each configuration.
func NewGroup(cfgs []Config) (*Group, error) { panic("stub") }

// Run serves until ctx ends; when one tunnel fails, all end and its error, with its name, is returned.
func (g *Group) Run(ctx context.Context) error { panic("stub") }

// Ready is closed once every port is open.
func (g *Group) Ready() <-chan struct{} { panic("stub") }

// Tunnels are in the order of the configurations.
func (g *Group) Tunnels() []*Tunnel { panic("stub") }

// ParseConf reads a stunnel.conf whose services are in client mode. An error is a *ConfError with line, option and what to do.
func ParseConf(r io.Reader) ([]Config, error) { panic("stub") }

// Error is a failure told in one sentence, with what to do about it.
type Error struct {
	Text string // what happened
	Hint string // what to do; may be ""
	Err  error  // what the network or TLS said
}

func (e *Error) Error() string { return e.Text + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// ConfError is a fault in a stunnel.conf.
type ConfError struct {
	Line   int
	Option string // "" where the line is no option
	Text   string // what is wrong
	Hint   string // what to do
}

func (e *ConfError) Error() string { return e.Text }
