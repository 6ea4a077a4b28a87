package agent

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"minato/agent/hostnet"
	"minato/targets/sshd"
)

// FieldError is a value that is not allowed. Field is its path, as network.auth or services[2].port.
type FieldError struct {
	Field   string
	Value   string // "": not shown, a secret or nothing
	Allowed string
}

func (e *FieldError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s: %s", e.Field, e.Allowed)
	}
	return fmt.Sprintf("%s is %q: %s", e.Field, e.Value, e.Allowed)
}

// Validate checks every field, and returns all that is wrong.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, field string, value any, allowed string) {
		if !ok {
			errs = append(errs, &FieldError{field, fmt.Sprint(value), allowed})
		}
	}
	check(c.Modem.Port != "", "modem.port", "", "required: the tty of the modem's AT port, as /dev/ttyUSB2, or auto")
	check(c.Modem.USB == "" || c.Modem.Port == autoPort, "modem.usb", c.Modem.USB, "it goes with modem.port: auto")
	check(oneOf(c.Modem.CMUX, "", "auto", "on", "off"), "modem.cmux", c.Modem.CMUX, "allowed are auto, on and off")
	check(c.Modem.CMUX != "on" || c.Modem.PPPPort == "", "modem.cmux", c.Modem.CMUX, "leave modem.ppp_port out to multiplex modem.port")
	check(c.Modem.PPPPort == "" || c.Modem.PPPPort != c.Modem.Port, "modem.ppp_port", c.Modem.PPPPort, "leave it out to dial on modem.port")
	check(c.Modem.Baud >= 0 && c.Modem.Baud <= 4_000_000, "modem.baud", c.Modem.Baud, "allowed is up to 4000000 bit/s")
	check(isPIN(c.Modem.PIN), "modem.pin", "", "a PIN has 4 to 8 digits")

	n := &c.Network
	check(isAPN(n.APN), "network.apn", n.APN, "an APN has up to 100 letters, digits, dots and hyphens")
	check(oneOf(n.Type, "", "IP", "IPV6", "IPV4V6"), "network.type", n.Type, "allowed are IP, IPV4V6 and IPV6")
	check(n.CID >= 0 && n.CID <= 16, "network.cid", n.CID, "allowed are 1 to 16")
	check(oneOf(n.Auth, "", "chap", "pap", "none"), "network.auth", n.Auth, "allowed are chap, pap and none")
	check(isParameter(n.User), "network.user", n.User, "allowed are up to 64 printable ASCII characters without quotation marks")
	check(isParameter(n.Password), "network.password", "", "allowed are up to 64 printable ASCII characters without quotation marks")
	check(n.EchoFailures >= 0, "network.echo_failures", n.EchoFailures, "allowed is 0 and more")

	check(oneOf(c.Link, "", LinkNetstack, LinkTUN, LinkHost), "link", c.Link, "allowed are netstack, tun and host")
	check(c.TUN.Name == "" || hostnet.IsInterfaceName(c.TUN.Name), "tun.name", c.TUN.Name, "an interface has a name of 1 to 15 characters")
	for i, s := range c.TUN.Routes {
		p, err := netip.ParsePrefix(s)
		check(err == nil && p.Addr().Is4() && p == p.Masked(), fmt.Sprintf("tun.routes[%d]", i), s, "an IPv4 network, as 100.127.0.0/16")
	}
	check(c.TUN.Metric >= 0, "tun.metric", c.TUN.Metric, "allowed is 1 and more")
	check(oneOf(c.TUN.DNS, append([]string{"", "auto", "none"}, hostnet.DNSMethods...)...), "tun.dns", c.TUN.DNS, "allowed are auto, resolved, resolvconf, file and none")
	for i, d := range c.TUN.Domains {
		check(isHost(d), fmt.Sprintf("tun.domains[%d]", i), d, "a domain, as soracom.io")
	}
	check(c.Link != LinkHost || c.Host.Interface != "", "host.interface", "", "required with link: host: the modem's network interface, as wwan0 or usb0")
	check(c.Host.Interface == "" || hostnet.IsInterfaceName(c.Host.Interface), "host.interface", c.Host.Interface, "an interface has a name of 1 to 15 characters")
	check(oneOf(c.Host.Connect, "", "auto", "off"), "host.connect", c.Host.Connect, "allowed are auto and off")

	check(len(c.Services) > 0 || c.Link == LinkTUN || c.Link == LinkHost, "services", "", "at least one service is needed")
	ports := map[int]bool{}
	for i, s := range c.Services {
		at := fmt.Sprintf("services[%d]", i)
		check(s.Port >= 1 && s.Port <= 65535, at+".port", s.Port, "allowed are 1 to 65535")
		check(!ports[s.Port], at+".port", s.Port, "another service has this port")
		ports[s.Port] = true
		t, err := parseTarget(s.Target)
		check(err == nil, at+".target", s.Target, "allowed are "+allowedTargets)
		check(s.MaxConnections >= 0, at+".max_connections", s.MaxConnections, "allowed is 1 and more")
		check(!s.ProxyProtocol || t.address != "", at+".proxy_protocol", s.ProxyProtocol, "it goes with tcp:// targets")
	}
	if c.Metrics != "" {
		_, _, err := splitEndpoint(c.Metrics)
		check(err == nil, "metrics", c.Metrics, "an IP:PORT, as 127.0.0.1:9110")
	}
	check(c.StatusPort >= 0 && c.StatusPort <= 65535, "status_port", c.StatusPort, "allowed are 1 to 65535")
	check(!ports[c.StatusPort], "status_port", c.StatusPort, "a service has this port")
	for i, f := range c.Forwards {
		at := fmt.Sprintf("forwards[%d]", i)
		host, _, err := splitEndpoint(f.Listen)
		_, aerr := netip.ParseAddr(host)
		check(err == nil && aerr == nil, at+".listen", f.Listen, "an IP:PORT of the device, as 127.0.0.1:1883")
		host, port, err := splitEndpoint(f.To)
		check(err == nil && isHost(host) && port != 0, at+".to", f.To, "a HOST:PORT in the closed network, as 100.127.127.100:1883")
		check(f.MaxConnections >= 0, at+".max_connections", f.MaxConnections, "allowed is 1 and more")
	}
	if c.SOCKS.Listen != "" {
		host, _, err := splitEndpoint(c.SOCKS.Listen)
		addr, aerr := netip.ParseAddr(host)
		check(err == nil && aerr == nil && addr.IsLoopback(), "socks.listen", c.SOCKS.Listen, "a loopback IP:PORT, as 127.0.0.1:1080: it asks for no password")
	}
	check(c.SOCKS.MaxConnections >= 0, "socks.max_connections", c.SOCKS.MaxConnections, "allowed is 1 and more")
	for i, line := range c.Targets.SSH.AuthorizedKeys {
		err := sshd.CheckAuthorizedKey(line)
		check(err == nil, fmt.Sprintf("targets.ssh.authorized_keys[%d]", i), "", fmt.Sprintf("a line as of an authorized_keys file: %v", err))
	}
	check(len(c.Targets.VNCPassword) <= 8, "targets.vnc_password", "", "VNC passwords have at most 8 characters")

	p := &c.Probe
	_, _, err := parseProbe(cmp.Or(p.Target, defaultProbe), nil)
	check(err == nil, "probe.target", p.Target, "allowed are "+allowedProbes)
	check(p.Interval == 0 || p.Interval >= time.Second, "probe.interval", p.Interval, "allowed is 1s and more")
	check(p.Timeout == 0 || p.Timeout >= 100*time.Millisecond, "probe.timeout", p.Timeout, "allowed is 100ms and more")
	check(p.Failures >= 0, "probe.failures", p.Failures, "allowed is 1 and more")

	b := &c.Backoff
	check(b.Min >= 0, "backoff.min", b.Min, "allowed are positive durations, as 1s")
	check(b.Max == 0 || b.Max >= cmp.Or(b.Min, defaultBackoffMin), "backoff.max", b.Max, "it must not be less than backoff.min, which is 1s where it is left out")
	check(b.Stable >= 0, "backoff.stable", b.Stable, "allowed are positive durations, as 1m")
	u := &c.Cures
	check(u.Tries >= 0, "cures.tries", u.Tries, "allowed is 1 and more")
	check(len(u.PowerCycle) == 0 || u.PowerCycle[0] != "", "cures.power_cycle", "", "a list of program and arguments, as [/usr/bin/uhubctl, -a, cycle]")
	check(u.PowerCycleTimeout >= 0 && u.PowerCycleTimeout <= 10*time.Minute, "cures.power_cycle_timeout", u.PowerCycleTimeout, "allowed are up to 10m")
	check(u.ResetInterval == 0 || u.ResetInterval >= minResetInterval, "cures.reset_interval", u.ResetInterval, "allowed is 1m and more: restarts wear the modem and its SIM")
	check(u.MaxResetInterval == 0 || u.MaxResetInterval >= cmp.Or(u.ResetInterval, defaultResetInterval), "cures.max_reset_interval", u.MaxResetInterval, "it must not be less than cures.reset_interval, which is 5m where it is left out")
	check(oneOf(c.Log.Level, "", "debug", "info", "warn", "error"), "log.level", c.Log.Level, "allowed are debug, info, warn and error")
	check(oneOf(c.Log.Format, "", "text", "json"), "log.format", c.Log.Format, "allowed are text and json")
	return errors.Join(errs...)
}

// minResetInterval is the floor below which no configuration restarts a modem. The others are what stands where nothing is configured.
const (
	minResetInterval     = time.Minute
	defaultResetInterval = 5 * time.Minute
	defaultBackoffMin    = time.Second
)

func oneOf(s string, allowed ...string) bool {
	for _, a := range allowed {
		if s == a {
			return true
		}
	}
	return false
}

func isPIN(s string) bool {
	if s == "" {
		return true
	}
	return len(s) >= 4 && len(s) <= 8 && strings.Trim(s, "0123456789") == ""
}

// nameLetters are those of DNS names.
const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

// isHost tells an address or a name.
func isHost(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil || s != "" && len(s) <= 253 && strings.Trim(s, nameLetters) == ""
}

// isAPN follows 23.003, 9.1, which is that of a DNS name.
func isAPN(s string) bool {
	return len(s) <= 100 && strings.Trim(s, nameLetters) == ""
}

func isParameter(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == '"' || s[i] >= 0x7f {
			return false
		}
	}
	return len(s) <= 64
}

// target is what a service leads to: a builtin one by name, or a local TCP address.
type target struct{ builtin, address string }

const allowedTargets = "builtin:http, builtin:https, builtin:modbus, builtin:vnc, builtin:ssh, and tcp://HOST:PORT"

func parseTarget(s string) (target, error) {
	if name, ok := strings.CutPrefix(s, "builtin:"); ok && oneOf(name, "http", "https", "modbus", "vnc", "ssh") {
		return target{builtin: name}, nil
	}
	if address, ok := strings.CutPrefix(s, "tcp://"); ok {
		host, port, err := net.SplitHostPort(address)
		n, perr := strconv.ParseUint(port, 10, 16)
		_, aerr := netip.ParseAddr(host)
		if err == nil && perr == nil && n > 0 && (aerr == nil || host != "" && strings.Trim(host, "0123456789.") != "") {
			return target{address: address}, nil
		}
	}
	return target{}, fmt.Errorf("target %q: allowed are %s", s, allowedTargets)
}
