package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// lateAck is an acknowledgement that comes after a minute.
type lateAck struct{ jetstream.PubAckFuture }

func (lateAck) Err() <-chan error { return nil }

func (lateAck) Ok() <-chan *jetstream.PubAck {
	ok := make(chan *jetstream.PubAck, 1)
	time.AfterFunc(time.Minute, func() { ok <- nil })
	return ok
}

// What is slow to be stored in this process is waited for: published again, it would be stored twice. A cluster's answer may be lost.
func TestLateAcknowledgement(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server *embedded
		lost   bool
	}{
		{"in this process", &embedded{}, false},
		{"cluster", nil, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &auditLog{store: &Store{server: tt.server}}
			if err := a.acked(t.Context(), lateAck{}); (err != nil) != tt.lost {
				t.Errorf("%s: %v, want lost=%v", tt.name, err, tt.lost)
			}
		})
	}
}

// Entries gather, but nobody waits for that.
func TestGather(t *testing.T) {
	for _, tt := range []struct {
		name string
		come func(a *auditLog)
		want time.Duration
	}{
		{"one that nobody waits for", func(a *auditLog) { appendTo(t, a, 1, nil) }, gatherTime},
		{"one that is waited for", func(a *auditLog) { appendTo(t, a, 1, make(chan error, 1)) }, time.Millisecond},
		{"one less than a group", func(a *auditLog) { appendTo(t, a, maxGroup-1, nil) }, gatherTime},
		{"a group", func(a *auditLog) { appendTo(t, a, maxGroup, nil) }, time.Millisecond},
		{"a flush", func(a *auditLog) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second) // nothing commits here
			defer cancel()
			a.flush(ctx)
		}, time.Millisecond},
		{"the end", func(a *auditLog) { a.close() }, time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &auditLog{queue: make(chan pendingEntry, queueLength), haste: make(chan struct{}, 1), abandon: func() {}}
			began := time.Now()
			came := make(chan struct{})
			time.AfterFunc(time.Millisecond, func() { tt.come(a); close(came) })
			a.gather()
			if took := time.Since(began); took != tt.want {
				t.Errorf("%s: gathered for %v, want %v", tt.name, took, tt.want)
			}
			<-came
		})
	}
}

func appendTo(t *testing.T, a *auditLog, n int, done chan error) {
	for range n {
		if err := a.append(context.Background(), pendingEntry{Entry{Type: Access, Time: auditStart}, done}, queueTimeout); err != nil {
			t.Error(err)
		}
	}
}

// Where a whole group is there already, as after a burst, it goes at once.
func TestGatherNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &auditLog{queue: make(chan pendingEntry, queueLength), haste: make(chan struct{}, 1)}
		appendTo(t, a, 2*maxGroup, nil)
		<-a.haste // the group before had it
		began := time.Now()
		a.gather()
		if took := time.Since(began); took != 0 {
			t.Errorf("gathered for %v though there were enough", took)
		}
	})
}

// A full queue is waited for, not for ever.
func TestFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &auditLog{queue: make(chan pendingEntry, 1), haste: make(chan struct{}, 1)}
		appendTo(t, a, 1, nil)
		time.AfterFunc(queueTimeout-1, func() { <-a.queue })
		appendTo(t, a, 1, nil) // there is room just in time
		began := time.Now()
		err := a.append(context.Background(), pendingEntry{entry: Entry{Type: Access, Time: auditStart}}, queueTimeout)
		if took := time.Since(began); err == nil || took != queueTimeout {
			t.Errorf("appended to a full queue after %v: %v", took, err)
		}
	})
}
