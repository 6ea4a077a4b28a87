package modem

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// InterfaceCommands connect a context to the modem's own network interface, without PPP. {cid} is the context, {apn} its access point
// name, {user} and {password} what it is entered with, and {auth} how (AuthProtocol), all as +CGAUTH writes them.
type InterfaceCommands struct {
	Up     []string    // all of them, in this order
	Down   []string    // takes the connection back
	Status *statusRead // tells whether there is one; nil: nothing does
}

// ConnectInterface asks the modem for a connection by its network interface. asked is false where that was not necessary: the modem has no
// command for it, or its interface was connected already and it refuses to do it again.
func (m *Modem) ConnectInterface(ctx context.Context, c PDPContext, p AuthProtocol, user, password string) (asked bool, err error) {
	v := m.vendor().Interface
	if v == nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, activationTimeout)
	defer cancel()
	values, err := interfaceValues(c, p, user, password)
	if err != nil {
		return false, fmt.Errorf("connecting the network interface: %w", err)
	}
	for _, cmd := range v.Up {
		_, err := m.line.Command(ctx, values.Replace(cmd))
		if Refused(err) {
			connected, serr := m.interfaceStatus(ctx, c.CID)
			if connected || lacksInterface(err, serr) {
				m.log.Debug("the network interface needs no command", "connected", connected, "error", err)
				continue
			}
		}
		if err != nil {
			return asked, fmt.Errorf("connecting the network interface to context %d: %w", c.CID, err)
		}
		asked = true
	}
	return asked, nil
}

// DisconnectInterface takes back what ConnectInterface asked for. That the modem refuses means that nothing is connected.
func (m *Modem) DisconnectInterface(ctx context.Context, cid int) error {
	v := m.vendor().Interface
	if v == nil {
		return nil
	}
	values, err := interfaceValues(PDPContext{CID: cid}, AuthNone, "", "")
	if err != nil {
		return err
	}
	for _, cmd := range v.Down {
		if _, err := m.line.Command(ctx, values.Replace(cmd)); err != nil && !Refused(err) {
			return fmt.Errorf("disconnecting the network interface from context %d: %w", cid, err)
		}
	}
	return nil
}

func interfaceValues(c PDPContext, p AuthProtocol, user, password string) (*strings.Replacer, error) {
	pairs := []string{"{cid}", fmt.Sprint(c.CID), "{auth}", fmt.Sprint(int(p))}
	for _, q := range [][2]string{{"apn", c.APN}, {"user", user}, {"password", password}} {
		s, err := quote("the "+q[0], q[1])
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, "{"+q[0]+"}", s)
	}
	return strings.NewReplacer(pairs...), nil
}

// ContextParameters are what the network gave to a context that is active.
type ContextParameters struct {
	Addr netip.Addr   // IPv4; zero: not told
	DNS  []netip.Addr // IPv4
}

// Parameters reads them (+CGCONTRDP, 27.007, 10.1.23).
func (m *Modem) Parameters(ctx context.Context, cid int) (ContextParameters, error) {
	info, err := m.command(ctx, fmt.Sprintf("+CGCONTRDP=%d", cid))
	if err != nil {
		return ContextParameters{}, fmt.Errorf("reading the parameters of context %d: %w", cid, err)
	}
	var bad error
	for _, line := range info {
		p, err := parseCGCONTRDP(line, cid)
		if err == nil {
			return p, nil
		}
		bad = errors.Join(bad, err)
	}
	return ContextParameters{}, fmt.Errorf("reading the parameters of context %d: %w", cid, errors.Join(errors.New("the modem tells of no IPv4 address"), bad))
}

// parseCGCONTRDP reads +CGCONTRDP: <cid>,<bearer_id>,<apn>,<address and mask>,<gateway>,<DNS>,<DNS>,... Before 27.007 V9.4 the mask was
// a value of its own: the address then has four numbers, and not eight. Qualcomm's modems have no mask at all, as there is none on a
// link from point to point, and leave the gateway empty.
func parseCGCONTRDP(line string, cid int) (ContextParameters, error) {
	f, err := values(line, "+CGCONTRDP", 4)
	if err != nil {
		return ContextParameters{}, err
	}
	c, err := number("the context id", f[0], 0, 255)
	if err != nil {
		return ContextParameters{}, err
	}
	if c != cid {
		return ContextParameters{}, fmt.Errorf("%.80q is of context %d", line, c)
	}
	address := strings.Split(f[3], ".")
	rest := f[4:]
	switch {
	case len(address) == 8:
	case len(address) == 4 && len(rest) > 0 && strings.HasPrefix(rest[0], "255."): // which no gateway has
		rest = rest[1:]
	case len(address) == 4:
	default:
		return ContextParameters{}, fmt.Errorf("%.80q: %.40q is no IPv4 address, with its mask or without", line, f[3])
	}
	var p ContextParameters
	if p.Addr, err = netip.ParseAddr(strings.Join(address[:4], ".")); err != nil {
		return ContextParameters{}, fmt.Errorf("%.80q: %w", line, err)
	}
	if !p.Addr.Is4() || p.Addr.IsUnspecified() { // the first of four numbers may be most of an IPv6 address
		return ContextParameters{}, fmt.Errorf("%.80q tells of no IPv4 address", line)
	}
	for _, s := range rest[min(1, len(rest)):min(3, len(rest))] { // behind the gateway
		if a, err := netip.ParseAddr(s); err == nil && a.Is4() && !a.IsUnspecified() {
			p.DNS = append(p.DNS, a)
		}
	}
	return p, nil
}
