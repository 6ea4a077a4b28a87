package store

import (
	"context"
	"fmt"
	"time"
)

const (
	queueLength = 4096 // entries that wait for the committer; then AppendAudit waits
	maxGroup    = 512  // entries published before their acknowledgements are awaited

	// gatherTime is how long entries that nobody waits for gather: each group wakes a dozen goroutines on its way to the disk, of the client, the
	// server and the pipe between them. AppendAudit promises 50 ms.
	gatherTime = 20 * time.Millisecond

	queueTimeout = 10 * time.Second // for room in a full queue
	ackTimeout   = 5 * time.Second  // for an acknowledgement; then it is late
	closeTimeout = 10 * time.Second // for the last entries to be committed
)

// pendingEntry is an entry in the queue.
type pendingEntry struct {
	entry Entry
	done  chan error // takes the outcome, of capacity 1; nil if nobody waits
}

// auditRecord is a message's payload.
type auditRecord struct {
	V int    `json:"v"`
	K uint64 `json:"k"` // number in its run
	Entry
}

const auditVersion = 1

// AppendAudit queues an entry, which is committed within 50 ms. It waits only while the queue is full, 10 s at most: then the entry is lost, with an
// error. Only a store that cannot write lets the queue fill, see AuditLag.
func (s *Store) AppendAudit(ctx context.Context, e Entry) error {
	return s.audit.append(ctx, pendingEntry{entry: e}, queueTimeout)
}

// AppendAuditSync commits an entry before it returns. Entries about mappings (Created, Deleted, Expired) are then synced.
func (s *Store) AppendAuditSync(ctx context.Context, e Entry) error {
	p := pendingEntry{e, make(chan error, 1)}
	if err := s.audit.append(ctx, p, 0); err != nil {
		return err
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("committing audit entry %s: %w", e.Type, context.Cause(ctx))
	}
}

// append queues an entry. It waits for room no longer than patience; 0: until ctx ends.
func (a *auditLog) append(ctx context.Context, p pendingEntry, patience time.Duration) error {
	if year := p.entry.Time.Year(); p.entry.Type == "" || year < 1970 || year > 9999 {
		return fmt.Errorf("audit entry of type %q and time %v: both are required", p.entry.Type, p.entry.Time)
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.closed {
		return ErrClosed
	}
	select {
	case a.queue <- p:
	default:
		if err := a.appendToFull(ctx, p, patience); err != nil {
			return fmt.Errorf("queueing audit entry %s: %w", p.entry.Type, err)
		}
	}
	if p.done != nil || len(a.queue) >= maxGroup {
		a.hasten()
	}
	return nil
}

// appendToFull waits for room in the queue.
func (a *auditLog) appendToFull(ctx context.Context, p pendingEntry, patience time.Duration) error {
	var late <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case a.queue <- p:
		return nil
	case <-late:
		return fmt.Errorf("no room in %v", patience)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hasten ends the gathering of entries: somebody waits, or they make a whole group.
func (a *auditLog) hasten() {
	select {
	case a.haste <- struct{}{}:
	default: // it is told already
	}
}

// flush waits until everything that was queued before is committed.
func (a *auditLog) flush(ctx context.Context) error {
	p := pendingEntry{done: make(chan error, 1)}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.closed {
		return ErrClosed
	}
	select {
	case a.queue <- p:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	a.hasten()
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close commits what is queued and ends the committer.
func (a *auditLog) close() error {
	late := time.AfterFunc(closeTimeout, a.abandon) // before the lock: a blocked sender is let go by the committer only
	defer late.Stop()
	a.mu.Lock()
	first := !a.closed
	a.closed = true
	a.mu.Unlock()
	if first {
		close(a.queue)
		a.hasten()
	}
	a.committed.Wait()
	a.abandon()
	if n := a.lost.Load(); n > 0 {
		return fmt.Errorf("closing store: %d audit entries were not committed", n)
	}
	return nil
}
