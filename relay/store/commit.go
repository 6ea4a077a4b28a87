package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nats.go/jetstream"
)

// commitLoop is the only one that publishes entries. It takes what has come while it gathered, so groups grow with the load, and nobody who waits
// for an entry waits for the gathering. It ends when the queue is closed and empty.
func (a *auditLog) commitLoop(ctx context.Context) {
	numbers := make(map[string]uint64) // next number of each run
	group := make([]pendingEntry, 0, maxGroup)
	for first := range a.queue {
		group = append(group[:0], first)
		a.gather()
	collect:
		for len(group) < maxGroup {
			select {
			case p, open := <-a.queue:
				if !open {
					break collect
				}
				group = append(group, p)
			default:
				break collect
			}
		}
		a.commit(ctx, group, numbers)
		clear(group)
	}
}

// gather lets entries come, unless somebody waits for one or there are many. They gather in the queue, where each costs no more than its place.
func (a *auditLog) gather() {
	if len(a.queue) >= maxGroup-1 { // a whole group, with the one that was taken
		return
	}
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.haste:
	}
}

// commit publishes a group and waits for its acknowledgements. What was refused or not answered is published again, in
// order, until it is stored or ctx ends.
func (a *auditLog) commit(ctx context.Context, group []pendingEntry, numbers map[string]uint64) {
	messages := make([]message, len(group))
	for i, p := range group {
		if p.entry.Type == "" {
			continue // a flush: it only waits for its turn
		}
		messages[i] = a.message(p.entry, numbers)
		messages[i].send(ctx)
	}
	late := time.NewTimer(ackTimeout)
	defer late.Stop()
	for i, p := range group {
		if p.entry.Type == "" {
			p.done <- nil
			continue
		}
		err := messages[i].acked(ctx, late)
		if err != nil {
			err = a.retry(ctx, &messages[i], late, err)
		}
		if p.done != nil {
			p.done <- err
		}
	}
	if a.waiting.Swap(0) != 0 && ctx.Err() == nil {
		a.store.log.Info("the audit log is written again")
	}
}

// number takes the next number of a run, after a start from the run's last message.
func (a *auditLog) number(ctx context.Context, as *auditStream, run string, numbers map[string]uint64) (uint64, error) {
	k, known := numbers[run]
	if !known {
		msg, err := as.stream.GetLastMsgForSubject(ctx, run+".*")
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
		case err != nil:
			return 0, fmt.Errorf("reading the last entry of %q: %w", run, err)
		default:
			var r auditRecord
			if err := json.Unmarshal(msg.Data, &r); err != nil {
				return 0, fmt.Errorf("decoding the last entry of %q: %w", run, err)
			}
			k = r.K + 1
		}
	}
	numbers[run] = k + 1
	return k, nil
}

// retry publishes an entry until it is stored or ctx ends. The entries behind it wait in the queue; once that is full, callers wait too, and what finds
// no room in time is lost.
func (a *auditLog) retry(ctx context.Context, m *message, late *time.Timer, err error) error {
	if a.waiting.Swap(m.entry.Time.UnixNano()) == 0 {
		a.store.log.Error("the audit log cannot be written and waits: is there room on the disk? It goes on by itself, or after a restart of the relay", "error", err)
	}
	pause := backoff.NewExponentialBackOff()
	pause.MaxInterval = 5 * time.Second
	for {
		select {
		case <-ctx.Done():
			a.lost.Add(1)
			return ErrClosed
		case <-a.store.lost:
			a.lost.Add(1)
			return a.store.LostErr()
		case <-time.After(pause.NextBackOff()):
		}
		if !a.store.mend() {
			continue // nothing is stored for the time being
		}
		if m.again(ctx, late, err) == nil {
			return nil
		}
	}
}
