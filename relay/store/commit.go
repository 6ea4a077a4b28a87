package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
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
	acks := make([]jetstream.PubAckFuture, len(group))
	sends := make([]func() (jetstream.PubAckFuture, error), len(group))
	for i, p := range group {
		if p.entry.Type == "" {
			continue // a flush: it only waits for its turn
		}
		sends[i] = a.sender(ctx, p.entry, numbers)
		acks[i], _ = sends[i]() // a nil future is an error, met below
	}
	for i, p := range group {
		if sends[i] == nil {
			p.done <- nil
			continue
		}
		err := a.acked(ctx, acks[i])
		if err != nil {
			err = a.retry(ctx, sends[i], err)
		}
		if p.done != nil {
			p.done <- err
		}
	}
}

// sender gives an entry its place in its run and returns the function that publishes it there.
func (a *auditLog) sender(ctx context.Context, e Entry, numbers map[string]uint64) func() (jetstream.PubAckFuture, error) {
	as := a.of(e)
	run := as.run(e, a.store.cfg.Node)
	var subject string
	var data []byte
	var options []jetstream.PublishOpt
	return func() (jetstream.PubAckFuture, error) {
		if subject == "" {
			k, err := a.number(ctx, as, run, numbers)
			if err != nil {
				return nil, err
			}
			data = (&auditRecord{auditVersion, k, e}).marshal()
			subject = run + "." + strconv.FormatUint(k%slots, 10)
			if a.store.server == nil { // a cluster's answer may be lost and the message be there
				options = append(options, jetstream.WithMsgID(run+"."+strconv.FormatUint(k, 10)))
			}
		}
		return a.store.js.PublishAsync(subject, data, options...)
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

// retry publishes an entry until it is stored or ctx ends. Meanwhile the queue fills and AppendAudit waits: nothing is lost.
func (a *auditLog) retry(ctx context.Context, send func() (jetstream.PubAckFuture, error), err error) error {
	a.store.log.Error("audit entry not stored, trying again", "err", err)
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
		ack, err := send()
		if err == nil {
			err = a.acked(ctx, ack)
		}
		if err == nil {
			a.store.log.Info("audit entry stored after all")
			return nil
		}
	}
}

// acked waits for one acknowledgement. A cluster's may be lost; the server in this process may be slow, but what it was given is never stored twice.
func (a *auditLog) acked(ctx context.Context, ack jetstream.PubAckFuture) error {
	if ack == nil {
		return errors.New("not published")
	}
	var late <-chan time.Time
	if a.store.server == nil {
		timeout := time.NewTimer(ackTimeout)
		defer timeout.Stop()
		late = timeout.C
	}
	select {
	case <-ack.Ok():
		return nil
	case err := <-ack.Err():
		return err
	case <-a.store.lost:
		return a.store.LostErr()
	case <-late:
		return fmt.Errorf("not acknowledged in %v", ackTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
}
