package relay

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

func (r *Relay) listAuditLogs(c *call) (any, error) {
	v := c.URL.Query()
	if t := v.Get("resource_type"); t != "" && t != "Subscriber" {
		return nil, badField("resource_type", t, "Subscriber")
	}
	q := store.Query{IMSI: v.Get("resource_id"), Before: v.Get("last_evaluated_key")}
	limit, err := queryInt(c, "limit", 1, 1000, 100)
	if err != nil {
		return nil, err
	}
	q.Limit = int(limit)
	for name, at := range map[string]*time.Time{"from": &q.From, "to": &q.To} {
		ms, err := queryInt(c, name, 0, math.MaxInt64/int64(time.Millisecond), 0)
		if err != nil {
			return nil, err
		}
		if ms != 0 {
			*at = time.UnixMilli(ms)
		}
	}
	if q.Before != "" && !isCursor(q.Before) {
		return nil, badField("last_evaluated_key", q.Before, "the "+http.CanonicalHeaderKey(relayapi.HeaderNextKey)+" of the page before")
	}
	entries, next, err := r.store.Audit(c.Context(), q)
	if err != nil {
		return nil, err
	}
	if next != "" {
		c.header.Set(relayapi.HeaderNextKey, next)
	}
	list := make([]relayapi.NapterAuditLogEntry, 0, len(entries))
	for _, e := range entries {
		a := auditAnswer(e)
		if text := Cause(e.Code).Text(c.Header.Get("X-Soracom-Lang")); text != "" {
			a.Reason = text
		}
		list = append(list, a)
	}
	return list, nil
}

func auditAnswer(e store.Entry) relayapi.NapterAuditLogEntry {
	a := relayapi.NapterAuditLogEntry{
		OperatorID:   e.OperatorID,
		IMSI:         e.IMSI,
		SIMID:        e.SIMID,
		ConnectionID: e.ConnectionID,
		CreatedAt:    e.Time.UnixMilli(),
		TLS:          e.TLS,
		Type:         string(e.Type),
		Code:         e.Code,
		Reason:       e.Reason,
		Protocol:     e.Protocol,
		BytesUp:      e.BytesUp,
		BytesDown:    e.BytesDown,
		TLSVersion:   e.TLSVersion,
		SNI:          e.SNI,
		DurationMs:   e.Duration.Milliseconds(),
		CloseReason:  e.CloseReason,
	}
	if e.Source.IsValid() {
		a.Direction.SourceIPAddress, a.Direction.SourcePort = e.Source.Addr().String(), int64(e.Source.Port())
	}
	if e.Destination.IsValid() {
		a.Direction.DestinationIPAddress, a.Direction.DestinationPort = e.Destination.Addr().String(), int64(e.Destination.Port())
	}
	return a
}

// isCursor tells whether a text has the form of the store's cursors, two numbers: what has another form is the caller's mistake, not ours.
func isCursor(s string) bool {
	a, b, ok := strings.Cut(s, ".")
	_, errA := strconv.ParseUint(a, 10, 64)
	_, errB := strconv.ParseUint(b, 10, 64)
	return ok && errA == nil && errB == nil
}
