package relay

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// listAuditLogs is Napter's: its entry types, and our fields beside its own.
func (r *Relay) listAuditLogs(c *call) (any, error) {
	q, err := r.auditQuery(c)
	if err != nil {
		return nil, err
	}
	q.Skip = store.Extended
	beforeTime(&q)
	entries, err := r.auditPage(c, q)
	if err != nil {
		return nil, err
	}
	list := make([]relayapi.NapterAuditLogEntry, 0, len(entries))
	for _, e := range entries {
		list = append(list, auditAnswer(e, c.lang()))
	}
	body, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	r.countExported(int64(len(body)))
	return json.RawMessage(body), nil
}

// countExported adds to the month's count of what was given of the audit log, once the answer has gone: it is a statistic, and where it cannot be
// written, as on a full disk, the log must be read all the same. One worker at a time adds what has come.
func (r *Relay) countExported(n int64) {
	if r.exported.Add(n) != n {
		return // whose worker adds this too
	}
	r.workers.do(func() {
		for {
			n := r.exported.Load()
			ctx, cancel := context.WithTimeout(context.Background(), auditTimeout)
			err := r.store.Add(ctx, exportedCounter(r.cfg.Clock.Now()), n)
			cancel()
			if err != nil {
				r.log.Error("counting what was read of the audit log: these bytes are left out", "bytes", r.exported.Swap(0), "error", err)
				return
			}
			if r.exported.Add(-n) == 0 {
				return
			}
		}
	})
}

// endBefore lets a query end before the time of an entry, in milliseconds, which Napter's definition documents as last_evaluated_key; its command line
// sends the header's. Which entries of that millisecond the page before had is not known: none comes again. False: the key is not a time.
func endBefore(to *time.Time, key string) bool {
	ms, err := strconv.ParseInt(key, 10, 64)
	if err != nil || ms < earliest || ms > latest {
		return false
	}
	if end := time.UnixMilli(ms).Add(-1); to.IsZero() || end.Before(*to) {
		*to = end
	}
	return true
}

// beforeTime is endBefore for a query of the audit log whose Before may be a time.
func beforeTime(q *store.Query) {
	if endBefore(&q.To, q.Before) {
		q.Before = ""
	}
}

var causeCode = regexp.MustCompile(`^[A-Z][0-9]{2}$`)

// auditQuery reads the parameters that the audit logs have in common. An identity outside the caller's scope finds nothing, as one that does not exist.
func (r *Relay) auditQuery(c *call) (q store.Query, err error) {
	v := c.URL.Query()
	if t := v.Get("resource_type"); t != "" && t != "Subscriber" {
		return q, badField("resource_type", t, "Subscriber")
	}
	q = store.Query{IMSI: v.Get("resource_id"), SIMID: v.Get("sim_id"), Code: v.Get("code"), Before: v.Get("last_evaluated_key")}
	limit, err := queryInt(c, "limit", 1, maxPage, 100)
	if err != nil {
		return q, err
	}
	q.Limit = int(limit)
	if err := queryTimes(c, "from", "to", &q.From, &q.To); err != nil {
		return q, err
	}
	if q.Code != "" && !causeCode.MatchString(q.Code) {
		return q, badField("code", q.Code, "a code such as R05")
	}
	if s := c.scope(); !s.all() {
		q.Allow, err = r.filter(c.Context(), s)
	}
	return q, err
}

// auditPage gives one page, and names the next in the answer's header.
func (r *Relay) auditPage(c *call, q store.Query) ([]store.Entry, error) {
	entries, next, err := r.store.Audit(c.Context(), q)
	if errors.Is(err, store.ErrCursor) {
		return nil, badField("last_evaluated_key", q.Before, "the X-Soracom-Next-Key of the page before")
	}
	if err != nil {
		return nil, err
	}
	if next != "" {
		c.header.Set(relayapi.HeaderNextKey, next)
	}
	return entries, nil
}

func exportedCounter(t time.Time) string { return "audit-exported-" + t.UTC().Format("200601") }

func (r *Relay) getAuditLogStats(c *call) (any, error) {
	month := c.URL.Query().Get("year_month")
	t, err := time.Parse("200601", month)
	if err != nil {
		return nil, badField("year_month", month, "a year and month such as 202611")
	}
	n, err := r.store.Counter(c.Context(), exportedCounter(t))
	if err != nil {
		return nil, err
	}
	return relayapi.AuditLogStats{ExportedBytes: n, YearMonth: month}, nil
}

func auditAnswer(e store.Entry, lang string) relayapi.NapterAuditLogEntry {
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
		CloseReason:  inEnglish(e.End),
		CloseCode:    e.End.Code,
		CloseArgs:    e.End.Args,

		DevicePort:     int(e.DevicePort),
		DeviceProtocol: e.Device,
		Count:          e.Count,
	}
	if text := Cause(e.Code).Text(lang); text != "" {
		a.Reason = text
	}
	if e.Source.IsValid() {
		a.Direction.SourceIPAddress, a.Direction.SourcePort = e.Source.Addr().String(), int64(e.Source.Port())
	}
	if e.Destination.IsValid() {
		a.Direction.DestinationIPAddress, a.Direction.DestinationPort = e.Destination.Addr().String(), int64(e.Destination.Port())
	}
	return a
}
