package emulator

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"minato/emulator/pty"
)

// listenSpec is one place of Config.Listen.
type listenSpec struct {
	abstract string // with abstract: before it and %d in it
	tcp      netip.AddrPort
}

// maxAbstract is what fits into sun_path after the NUL.
const maxAbstract = 107

// parseListen checks the places that modems are to listen at.
func parseListen(list []string, modems int) ([]listenSpec, error) {
	var specs []listenSpec
	for i, text := range list {
		spec, err := parseListener(text, modems)
		if err != nil {
			return nil, fmt.Errorf("listen[%d] %q: %w", i, text, err)
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

func parseListener(text string, modems int) (listenSpec, error) {
	kind, rest, _ := strings.Cut(text, ":")
	switch kind {
	case "abstract":
		name := strings.Replace(text, "%d", strconv.Itoa(modems), 1)
		switch {
		case rest == "" || strings.ContainsAny(name, "%\x00"):
			return listenSpec{}, fmt.Errorf("must be abstract:NAME, with one %%d for the modem's number")
		case name == text && modems > 1:
			return listenSpec{}, fmt.Errorf("%d modems cannot share a name: put %%d for the modem's number in it", modems)
		case len(name) > maxAbstract:
			return listenSpec{}, fmt.Errorf("must be at most %d bytes", maxAbstract)
		}
		return listenSpec{abstract: text}, nil
	case "tcp":
		addr, err := netip.ParseAddrPort(rest)
		switch {
		case err != nil || !addr.Addr().IsLoopback():
			return listenSpec{}, fmt.Errorf("must be tcp:HOST:PORT with a loopback address: an AT port has no password")
		case addr.Port() != 0 && int(addr.Port())+modems-1 > 65535:
			return listenSpec{}, fmt.Errorf("%d modems need ports up to %d", modems, int(addr.Port())+modems-1)
		}
		return listenSpec{tcp: addr}, nil
	}
	return listenSpec{}, fmt.Errorf("must begin with abstract: or tcp: and a place")
}

// listen opens the place of modem n.
func (s listenSpec) listen(n int) (net.Listener, error) {
	if s.abstract != "" {
		// The prefix is part of the name, as it is in what ModemManager's test session connects to.
		return pty.ListenUnix("@" + strings.Replace(s.abstract, "%d", strconv.Itoa(n), 1))
	}
	addr := s.tcp
	if addr.Port() != 0 {
		addr = netip.AddrPortFrom(addr.Addr(), addr.Port()+uint16(n))
	}
	return net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
}

// listenerName is a place as Config.Listen would have it.
func listenerName(l net.Listener) string {
	if l.Addr().Network() == "tcp" {
		return "tcp:" + l.Addr().String()
	}
	return strings.TrimPrefix(l.Addr().String(), "@")
}

// checkLoopback refuses an address that others could reach: what is to listen there has no password.
func checkLoopback(addr, what string) error {
	if addr == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("must be HOST:PORT")
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("must be on the loopback interface, as 127.0.0.1:PORT: %s has no password", what)
	}
	return nil
}
