package relay

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// recordCall writes the API's own log: who asked for what, and what came of it. Calls that need no key and change nothing are left out.
func (r *Relay) recordCall(c *call, rt route, err error) {
	if rt.role == "" && c.Method == http.MethodGet {
		return
	}
	status := rt.status
	if err != nil {
		status = r.errorAnswer(c.Request, err).status
	}
	entry := store.Call{Time: r.cfg.Clock.Now(), Kind: rt.pattern, Path: c.URL.Path, KeyID: c.who.keyID, User: c.who.name, Status: status}
	if c.caller.IsValid() {
		entry.Remote = c.caller.Addr().String()
	}
	const longestPath = 256 // of what is kept: it comes from outside
	entry.Path = entry.Path[:min(len(entry.Path), longestPath)]
	r.metrics.call(rt.pattern, status)
	if status == http.StatusTooManyRequests && c.who.id == "" {
		return // a flood from nobody must not push out what was done
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), auditTimeout)
	defer cancel()
	if err := r.store.AppendCall(ctx, entry); err != nil {
		r.log.Error("writing the log of API calls", "error", err)
	}
}

func (r *Relay) listAPIAuditLogs(c *call) (any, error) {
	v := c.URL.Query()
	q := store.CallQuery{Kind: v.Get("api_kind")}
	limit, err := queryInt(c, "limit", 1, maxPage, 100)
	if err != nil {
		return nil, err
	}
	q.Limit = int(limit)
	if err := queryTimes(c, "from_epoch_ms", "to_epoch_ms", &q.From, &q.To); err != nil {
		return nil, err
	}
	if !endBefore(&q.To, v.Get("last_evaluated_key")) {
		before, err := queryInt(c, "last_evaluated_key", 1, math.MaxInt64, 0)
		if err != nil {
			return nil, err
		}
		q.Before = uint64(before)
	}
	calls, more, err := r.store.Calls(c.Context(), q)
	if err != nil {
		return nil, err
	}
	list := make([]relayapi.APIAuditLogEntry, 0, len(calls))
	for _, e := range calls {
		list = append(list, relayapi.APIAuditLogEntry{
			APIKind: e.Kind, OperatorID: operatorID, RemoteIPAddress: e.Remote, RequestPath: e.Path,
			RequestedTimeEpochMs: e.Time.UnixMilli(), UserName: e.User, AuthKeyID: e.KeyID, StatusCode: e.Status,
		})
	}
	if more {
		c.header.Set(relayapi.HeaderNextKey, strconv.FormatUint(calls[len(calls)-1].Seq, 10))
	}
	return list, nil
}

const (
	earliest = 1_000_000_000_000 // in September 2001, in milliseconds: no entry of the log is older, nor has it ever so many
	latest   = 253402300799999   // the end of the year 9999: clients write 9999999999999 for "no end"
)

// queryTimes reads two moments in milliseconds; 0 and missing leave them unset.
func queryTimes(c *call, fromName, toName string, from, to *time.Time) error {
	for _, t := range []struct {
		name string
		into *time.Time
	}{{fromName, from}, {toName, to}} {
		ms, err := queryInt(c, t.name, 0, latest, 0)
		if err != nil {
			return err
		}
		if ms != 0 {
			*t.into = time.UnixMilli(ms)
		}
	}
	return nil
}
