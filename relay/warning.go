package relay

import (
	"net/netip"
	"slices"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// selfEncrypting are device ports whose protocol encrypts itself from the first byte or starts TLS itself: SSH, RDP.
var selfEncrypting = []uint16{22, 3389}

// httpsPorts are device ports that most often speak TLS already.
var httpsPorts = []uint16{443, 8443}

// plaintextPorts are device ports whose protocol neither encrypts nor, most often, asks who is there: FTP, Telnet, HTTP, Modbus, MQTT, VNC and others.
var plaintextPorts = []uint16{21, 23, 25, 80, 102, 502, 554, 1883, 5800, 5900, 5901, 8000, 8080, 20000, 44818, 47808}

// warningsOf tells what is allowed in a mapping, but is most often a mistake (causes W19-W23).
func warningsOf(m store.Mapping, caller netip.Addr, lang string) []relayapi.Warning {
	var list []relayapi.Warning
	warn := func(c Cause) { list = append(list, relayapi.Warning{Code: string(c), Message: c.Text(lang)}) }
	if m.TLS && slices.Contains(selfEncrypting, m.DevicePort) {
		warn(CauseTLSOnSelfEncrypting)
	}
	if m.TLS && slices.Contains(httpsPorts, m.DevicePort) {
		warn(CauseTLSOnHTTPS)
	}
	if !m.TLS && slices.Contains(plaintextPorts, m.DevicePort) && slices.ContainsFunc(m.Sources, func(p netip.Prefix) bool { return p.Bits() == 0 }) {
		warn(CauseOpenPlaintext)
	}
	if m.Duration < time.Minute {
		warn(CauseDurationInMinutes)
	}
	if caller.IsValid() && !contains(m.Sources, caller) {
		warn(CauseCallerOutside)
	}
	return list
}

func contains(ranges []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(a) })
}
