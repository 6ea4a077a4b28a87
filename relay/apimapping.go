package relay

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

func (r *Relay) listPortMappings(c *call) (any, error) {
	return r.listWhere(c, "", func(store.Mapping) bool { return true })
}

func (r *Relay) listPortMappingsForSIM(c *call) (any, error) {
	id := c.PathValue("sim_id")
	return r.listWhere(c, "simId "+quote(id), func(m store.Mapping) bool {
		return m.SIMID == id && m.Strategy != store.StrategyIMSI
	})
}

func (r *Relay) listPortMappingsForSubscriber(c *call) (any, error) {
	imsi := c.PathValue("imsi")
	return r.listWhere(c, "imsi "+quote(imsi), func(m store.Mapping) bool {
		return m.IMSI == imsi && m.Strategy == store.StrategyIMSI
	})
}

// listWhere lists mappings. An empty list of one SIM is a 404, as in Napter's API; of names it.
func (r *Relay) listWhere(c *call, of string, match func(store.Mapping) bool) (any, error) {
	stored, err := r.store.Mappings(c.Context())
	if err != nil {
		return nil, err
	}
	inside, err := r.filter(c.Context(), c.scope())
	if err != nil {
		return nil, err
	}
	list := make([]relayapi.PortMapping, 0, len(stored))
	for _, m := range stored {
		if match(m) && inside(m.SIMID) {
			list = append(list, r.mappingAnswer(m))
		}
	}
	if len(list) == 0 && of != "" {
		return nil, apiErrorf(http.StatusNotFound, codeNoMapping, "there are no port mappings for %s", of)
	}
	return page(c, list, maxPage, func(m relayapi.PortMapping) string { return m.Endpoint })
}

func (r *Relay) createPortMapping(c *call) (any, error) {
	var body relayapi.CreatePortMappingRequest
	if err := decodeBody(c, &body); err != nil {
		return nil, err
	}
	return r.create(c, body)
}

func (r *Relay) createPortMappingForSIM(c *call) (any, error) {
	var body relayapi.CreatePortMappingRequest
	if err := decodeBody(c, &body); err != nil {
		return nil, err
	}
	id := c.PathValue("sim_id")
	if d := body.Destination; d.IMSI != "" || d.SIMID != "" && d.SIMID != id {
		return nil, badField("destination.simId", cmp.Or(d.SIMID, d.IMSI), "the path names the SIM")
	}
	if _, err := r.simByID(c, id); err != nil {
		return nil, err
	}
	body.Destination.SIMID = id
	return r.create(c, body)
}

func (r *Relay) create(c *call, body relayapi.CreatePortMappingRequest) (any, error) {
	m, err := r.mappingOf(c, body)
	if err != nil {
		return nil, err
	}
	m, err = r.createMapping(m, c.caller)
	if errors.Is(err, errNoPort) {
		return nil, apiErrorf(http.StatusConflict, codeNoPort, "no public port is free in %d-%d: delete mappings that are not needed", r.cfg.Ports[0], r.cfg.Ports[1])
	}
	if err != nil {
		return nil, err
	}
	a := r.mappingAnswer(m)
	a.Warnings = warningsOf(m, c.caller.Addr(), c.lang())
	return a, nil
}

func (r *Relay) deletePortMapping(c *call) (any, error) {
	m, err := r.pathMapping(c)
	if err != nil {
		return nil, err
	}
	err = r.deleteMapping(m, c.caller)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noMapping(c)
	}
	return nil, err
}

// pathMapping is the mapping that a path names, if it is inside the caller's scope.
func (r *Relay) pathMapping(c *call) (store.Mapping, error) {
	ip, port := c.PathValue("ip_address"), c.PathValue("port")
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Zone() != "" {
		return store.Mapping{}, badField("ip_address", ip, "an address, as in the mapping's ipAddress")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return store.Mapping{}, badField("port", port, "a port from 1 to 65535")
	}
	m, err := r.store.Mapping(c.Context(), netip.AddrPortFrom(addr.Unmap(), uint16(n)))
	if errors.Is(err, store.ErrNotFound) {
		return m, noMapping(c)
	}
	if err != nil {
		return m, err
	}
	inside, err := r.filter(c.Context(), c.scope())
	if err != nil {
		return m, err
	}
	if !inside(m.SIMID) {
		return store.Mapping{}, noMapping(c)
	}
	return m, nil
}

func noMapping(c *call) *apiError {
	return apiErrorf(http.StatusNotFound, codeNoMapping, "there is no port mapping at %s port %s", c.PathValue("ip_address"), c.PathValue("port"))
}

func (r *Relay) mappingAnswer(m store.Mapping) relayapi.PortMapping {
	a := relayapi.PortMapping{
		IPAddress:                 m.IP.String(),
		Port:                      int(m.Port),
		Endpoint:                  m.Addr().String(),
		Hostname:                  hostname(m.IP, r.cfg.Domain),
		OperatorID:                m.OperatorID,
		CreatedTime:               m.CreatedAt.UnixMilli(),
		ExpiredTime:               m.ExpiresAt.UnixMilli(),
		Duration:                  int(m.Duration / time.Second),
		Expired:                   m.Expired(r.cfg.Clock.Now()),
		TLSRequired:               m.TLS,
		Destination:               relayapi.Destination{Port: int(m.DevicePort), Strategy: string(m.Strategy)},
		Source:                    relayapi.Source{IPRanges: make([]string, 0, len(m.Sources))},
		Placement:                 "default",
		OneTime:                   m.OneTime,
		Spent:                     m.SpentBy != "",
		ClientCertificateRequired: m.TLS && (m.ClientCertificate || r.cfg.RequireClientCertificates),
	}
	if m.Strategy == store.StrategyIMSI {
		a.IMSI, a.Destination.IMSI = m.IMSI, m.IMSI
	} else {
		a.SIMID, a.Destination.SIMID = m.SIMID, m.SIMID
	}
	for _, p := range m.Sources {
		a.Source.IPRanges = append(a.Source.IPRanges, p.String())
	}
	return a
}
