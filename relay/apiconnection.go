package relay

import (
	"net/http"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// listConnections lists the live connections.
func (r *Relay) listConnections(c *call) (any, error) {
	inside, err := r.filter(c.Context(), c.scope())
	if err != nil {
		return nil, err
	}
	sim := c.URL.Query().Get("sim_id")
	list := []relayapi.Connection{}
	for _, conn := range r.live.all() {
		if inside(conn.mapping.SIMID) && (sim == "" || sim == conn.mapping.SIMID) {
			list = append(list, conn.answer())
		}
	}
	return page(c, list, maxPage, func(a relayapi.Connection) string { return a.ConnectionID })
}

// answer is a live connection as the API says it: only what does not change while it lives, and the counters.
func (c *connection) answer() relayapi.Connection {
	m := c.mapping
	a := relayapi.Connection{
		ConnectionID: c.id, SIMID: m.SIMID, IMSI: m.IMSI, TLS: m.TLS, CreatedAt: c.began.UnixMilli(), State: "connecting",
		Direction: relayapi.Direction{
			SourceIPAddress: c.from.Addr().String(), SourcePort: int64(c.from.Port()),
			DestinationIPAddress: m.IP.String(), DestinationPort: int64(m.Port),
		},
		DevicePort: int(m.DevicePort),
	}
	if s := c.session.Load(); s != nil {
		stats := s.Stats()
		a.State, a.BytesUp, a.BytesDown = "connected", stats.Up, stats.Down
	}
	return a
}

// cutConnection ends one live connection; its mapping goes on.
func (r *Relay) cutConnection(c *call) (any, error) {
	id := c.PathValue("connection_id")
	inside, err := r.filter(c.Context(), c.scope())
	if err != nil {
		return nil, err
	}
	conn := r.live.get(id)
	if conn == nil || !inside(conn.mapping.SIMID) {
		return nil, apiErrorf(http.StatusNotFound, codeNoConnection, "there is no live connection %s", quote(id))
	}
	conn.cut(errCut)
	return nil, nil
}

// listConnectionLogs is our own audit log: every entry type, and each connection's ladder in its last entry.
func (r *Relay) listConnectionLogs(c *call) (any, error) {
	q, err := r.auditQuery(c)
	if err != nil {
		return nil, err
	}
	q.Type = store.EntryType(c.URL.Query().Get("type"))
	entries, err := r.auditPage(c, q)
	if err != nil {
		return nil, err
	}
	list := make([]relayapi.ConnectionLogEntry, 0, len(entries))
	for _, e := range entries {
		list = append(list, eventAnswer(e, c.lang()))
	}
	return list, nil
}
