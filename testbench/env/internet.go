package env

import (
	"context"
	"net"
	"net/netip"
)

// Internet is the public side of the path: the network on which the relay listens and its clients live. It exists twice. Kernel is
// this machine's loopback, where real programs join; Userspace is a network of its own, whose packets are captured without root.
type Internet interface {
	// Listen opens a listener on the relay's host.
	Listen(network, address string) (net.Listener, error)
	// Relay is the address of the relay's host.
	Relay() netip.Addr
	// Client gives the n-th client's host, from 0. Each has an address of its own.
	Client(n int) (Host, error)
	// Capture is the pcapng file of what crossed, or "" where nothing is captured. It is whole after the environment's end.
	Capture() string
}

// Host is a client's place on the internet.
type Host struct {
	Addr        netip.Addr
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Net chooses the internet side of a scenario.
type Net string

// The internet sides.
const (
	// Kernel is loopback, 127.0.0.0/8.
	Kernel Net = "kernel"
	// Namespace is loopback in a network namespace made for the scenario, so that it can be captured without root. The runner starts a
	// child process in it.
	Namespace Net = "namespace"
	// Userspace is a network of userspace stacks, captured.
	Userspace Net = "userspace"
)
