package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// An entry whose acknowledgement is lost is stored once though the first had arrived: a cluster does not answer, and in this process what was
// published is not waited for any more after the streams were opened anew.
func TestLostAcknowledgement(t *testing.T) {
	for _, cluster := range []bool{false, true} {
		t.Run(fmt.Sprintf("cluster %v", cluster), func(t *testing.T) {
			var cfg Config
			if cluster {
				cfg.URL = startServer(t).ClientURL()
			}
			testLostAcknowledgement(t, openStore(t, cfg))
		})
	}
}

func testLostAcknowledgement(t *testing.T, s *Store) {
	ctx := testContext(t)
	want := Entry{Type: Access, Time: auditStart, SIMID: "1", IMSI: "2"}
	as := s.audit.of(want)
	if err := s.AppendAuditSync(ctx, want); err != nil { // so that the run's numbers are known
		t.Fatal(err)
	}
	if err := s.js.DeleteStream(ctx, as.name); err != nil {
		t.Fatal(err)
	}
	// In the stream's place: takes the entry, makes the stream and stores it there, and answers nothing.
	var taker *nats.Subscription
	stored := make(chan error, 1)
	taker, err := s.conn.Subscribe(as.prefix+".>", func(m *nats.Msg) {
		err := errors.Join(taker.Unsubscribe(), s.audit.open(ctx, as))
		if err == nil {
			_, err = s.js.PublishMsg(ctx, &nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data})
		}
		if s.server != nil {
			s.js.CleanupPublisher()
		}
		stored <- err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AppendAuditSync(ctx, want); err != nil {
		t.Error(err)
	}
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	if err := s.audit.flush(ctx); err != nil { // whoever waits for an entry hears of it before the group is done
		t.Fatal(err)
	}
	if lag := s.AuditLag(); lag != 0 {
		t.Errorf("lag %v after all is stored", lag)
	}
	checkAudit(t, s, Query{}, []Entry{want})
}

// lateAck is an acknowledgement that comes when it is late.
type lateAck struct {
	jetstream.PubAckFuture
	ok chan *jetstream.PubAck
}

func (a lateAck) Err() <-chan error            { return nil }
func (a lateAck) Ok() <-chan *jetstream.PubAck { return a.ok }

// What is slow to be stored in this process is waited for.
func TestLateAcknowledgement(t *testing.T) {
	s := openStore(t, Config{})
	m := s.audit.message(Entry{Type: Access, Time: auditStart}, nil)
	ack := lateAck{ok: make(chan *jetstream.PubAck, 1)}
	m.ack = ack
	time.AfterFunc(50*time.Millisecond, func() { ack.ok <- nil })
	if err := m.acked(testContext(t), time.NewTimer(0)); err != nil {
		t.Error(err)
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
