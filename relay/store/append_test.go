package store

import (
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
