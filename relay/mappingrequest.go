package relay

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

const (
	defaultDuration = 1800  // seconds, as Napter's console
	maxDuration     = 28800 // seconds, Napter's limit
	maxRanges       = 100
)

// mappingOf turns a request into a mapping that has everything but its port.
func (r *Relay) mappingOf(c *call, body relayapi.CreatePortMappingRequest) (m store.Mapping, err error) {
	d := body.Destination
	if d.Port < 1 || d.Port > 65535 {
		return m, badField("destination.port", d.Port, "the device's port, from 1 to 65535")
	}
	duration := defaultDuration
	if body.Duration != nil {
		duration = *body.Duration
	}
	if duration < 1 || duration > maxDuration {
		return m, badField("duration", duration, "seconds from 1 to %d", maxDuration)
	}
	if body.ClientCertificateRequired && (!body.TLSRequired || r.cfg.ClientCAs == nil) {
		return m, badField("clientCertificateRequired", true, "only with tlsRequired, on a relay that has a CA for client certificates")
	}
	sources, err := sourceRanges(body.Source, c.caller.Addr())
	if err != nil {
		return m, err
	}
	sim, strategy, err := r.destinationSIM(c, d)
	if err != nil {
		return m, err
	}
	now := r.cfg.Clock.Now().Truncate(time.Millisecond) // what the API can say
	life := time.Duration(duration) * time.Second
	return store.Mapping{
		IP:                r.cfg.Advertise,
		SIMID:             sim.ID,
		IMSI:              sim.IMSI,
		Strategy:          strategy,
		DevicePort:        uint16(d.Port),
		CreatedAt:         now,
		ExpiresAt:         now.Add(life),
		Duration:          life,
		TLS:               body.TLSRequired,
		Sources:           sources,
		OperatorID:        operatorID,
		OneTime:           body.OneTime,
		ClientCertificate: body.ClientCertificateRequired,
	}, nil
}

// destinationSIM finds the SIM that a request names. A simId wins over an imsi, as in Napter's API.
func (r *Relay) destinationSIM(c *call, d relayapi.Destination) (SIM, store.Strategy, error) {
	if d.Service != "" && d.Service != "air" && d.Service != "arc" {
		return SIM{}, "", badField("destination.service", d.Service, `"air" or "arc"`)
	}
	if d.SIMID == "" {
		if d.IMSI == "" {
			return SIM{}, "", badField("destination", d, "one of simId and imsi is needed")
		}
		if d.Service != "" {
			return SIM{}, "", badField("destination.service", d.Service, "only together with simId")
		}
		sim, err := r.simByIMSI(c, d.IMSI)
		return sim, store.StrategyIMSI, err
	}
	sim, err := r.simByID(c, d.SIMID)
	switch d.Service {
	case "air":
		return sim, store.StrategyAir, err
	case "arc":
		return sim, store.StrategyArc, err
	}
	return sim, store.StrategyDynamic, err
}

// sourceRanges are the prefixes that may connect, masked and each once. Without any it is the caller alone: an open port must be asked for.
func sourceRanges(s *relayapi.Source, caller netip.Addr) ([]netip.Prefix, error) {
	if s == nil || len(s.IPRanges) == 0 {
		if !caller.IsValid() {
			return nil, badField("source.ipRanges", nil, "your own address cannot be seen here: name the ranges")
		}
		return []netip.Prefix{netip.PrefixFrom(caller, caller.BitLen())}, nil
	}
	if len(s.IPRanges) > maxRanges {
		return nil, badField("source.ipRanges", len(s.IPRanges), "at most %d ranges", maxRanges)
	}
	ranges := make([]netip.Prefix, 0, len(s.IPRanges))
	for i, text := range s.IPRanges {
		p, err := netip.ParsePrefix(text)
		if err != nil || p.Addr().Is4In6() {
			return nil, badField(fmt.Sprintf("source.ipRanges[%d]", i), text, "CIDR notation such as 203.0.113.0/24, 203.0.113.7/32 or 2001:db8::/32")
		}
		if p = p.Masked(); !slices.Contains(ranges, p) {
			ranges = append(ranges, p)
		}
	}
	return ranges, nil
}
