package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

var (
	errNoLink  = errors.New("there is no link to the closed network")
	errNoNames = errors.New("the closed network told no DNS server: give an address instead of a name")
)

// dialTimeout is how long a connection into the closed network may take to be made.
const dialTimeout = 15 * time.Second

// dialClosed connects to "host:port" in the closed network, whose own DNS servers know the names.
func (a *Agent) dialClosed(ctx context.Context, address string) (net.Conn, error) {
	a.mu.Lock()
	dial, servers := a.status.dial, a.status.DNS
	a.mu.Unlock()
	if dial == nil {
		return nil, errNoLink
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return dial(ctx, "tcp", address)
	}
	if len(servers) == 0 {
		return nil, errNoNames
	}
	tries := 0
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		tries++ // the host's own servers, which it names, know nothing of this network
		return dial(ctx, network, netip.AddrPortFrom(servers[(tries-1)%len(servers)], dnsPort).String())
	}}
	addrs, err := resolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return nil, err
	}
	for _, addr := range addrs {
		var c net.Conn
		if c, err = dial(ctx, "tcp", net.JoinHostPort(addr.Unmap().String(), port)); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// splitEndpoint checks "host:port" with a port from 1 to 65535.
func splitEndpoint(s string) (host string, port uint16, err error) {
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 && host == "" {
		return "", 0, fmt.Errorf("%q is not a port", p)
	}
	return host, uint16(n), nil
}
