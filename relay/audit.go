package relay

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"minato/relay/store"
)

// auditTimeout bounds how long an entry that is waited for may take: about a mapping, or a call of the API.
const auditTimeout = 10 * time.Second

// auditWords are the log lines of the audit entry types.
var auditWords = map[store.EntryType]struct {
	level slog.Level
	text  string
}{
	store.Access:    {slog.LevelDebug, "client connected"},
	store.Connected: {slog.LevelDebug, "device connected"},
	store.Denied:    {slog.LevelWarn, "client denied"},
	store.Refused:   {slog.LevelWarn, "client refused"},
	store.Closed:    {slog.LevelInfo, "connection ended"},
	store.Created:   {slog.LevelInfo, "mapping created"},
	store.Deleted:   {slog.LevelInfo, "mapping deleted"},
	store.Expired:   {slog.LevelInfo, "mapping expired"},
	store.Extended:  {slog.LevelInfo, "mapping extended"},
}

// auditMapping records what happened to a mapping. Caller is who asked over the API, if anyone.
func (r *Relay) auditMapping(t store.EntryType, m store.Mapping, caller netip.AddrPort) {
	e := entryOf(m, t, r.cfg.Clock.Now())
	e.Source = caller
	if t == store.Expired && e.Time.Sub(m.ExpiresAt) > lookInterval { // no relay ran then, or it slept, or could not write: the entry's time is not the end's
		e.End = sayEnded(m.ExpiresAt)
	}
	ctx, cancel := context.WithTimeout(context.Background(), auditTimeout)
	defer cancel()
	r.note(e)
	if err := r.store.AppendAuditSync(ctx, e); err != nil {
		r.log.Error("writing the audit log", "type", string(t), "error", err)
	}
}

// auditConnection records what happened to a connection.
func (r *Relay) auditConnection(e store.Entry) {
	r.note(e)
	if err := r.store.AppendAudit(context.Background(), e); err != nil {
		r.log.Error("writing the audit log", "type", string(e.Type), "error", err)
	}
}

// entryOf starts an entry about a mapping or one of its connections.
func entryOf(m store.Mapping, t store.EntryType, now time.Time) store.Entry {
	return store.Entry{
		Time: now, Type: t, OperatorID: m.OperatorID, SIMID: m.SIMID, IMSI: m.IMSI, TLS: m.TLS, Destination: m.Addr(), DevicePort: m.DevicePort,
	}
}

// note tells of an entry wherever else it is to be seen.
func (r *Relay) note(e store.Entry) {
	r.logEntry(e)
	r.metrics.entry(e)
	r.events.publish(e)
}

// logEntry writes the one log line of an entry.
func (r *Relay) logEntry(e store.Entry) {
	w := auditWords[e.Type]
	if !r.log.Enabled(context.Background(), w.level) {
		return
	}
	attrs := make([]slog.Attr, 0, 14)
	attrs = append(attrs, slog.String("mapping", e.Destination.String()), slog.String("sim", e.SIMID))
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("connection", e.ConnectionID)
	if e.Source.IsValid() {
		add("client", e.Source.String())
	}
	add("code", e.Code)
	add("protocol", e.Protocol)
	add("device", e.Device)
	add("reason", e.Reason)
	add("tls", e.TLSVersion)
	add("sni", e.SNI)
	add("end", inEnglish(e.End))
	if e.Count > 0 {
		attrs = append(attrs, slog.Int("count", e.Count))
	}
	if e.Type == store.Closed {
		attrs = append(attrs, slog.Int64("up", e.BytesUp), slog.Int64("down", e.BytesDown), slog.Duration("after", e.Duration))
	}
	line := slog.NewRecord(time.Now(), w.level, w.text, 0) // without the place in the source, which takes longer to find than the rest
	line.AddAttrs(attrs...)
	r.log.Handler().Handle(context.Background(), line) // a log that cannot be written cannot be told of, either
}
