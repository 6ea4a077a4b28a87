package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// message is an entry on its way into its stream.
type message struct {
	log     *auditLog
	numbers map[string]uint64
	entry   Entry
	stream  *auditStream
	run     string

	// Set when it has its place.
	number  uint64 // in its run
	subject string // "": it has none yet
	data    []byte

	ack jetstream.PubAckFuture
	err error // there is no ack
}

func (a *auditLog) message(e Entry, numbers map[string]uint64) message {
	as := a.of(e)
	return message{log: a, numbers: numbers, entry: e, stream: as, run: as.run(e, a.store.cfg.Node)}
}

// send publishes it, at the place in its run that it gets the first time.
func (m *message) send(ctx context.Context) {
	s := m.log.store
	if m.subject == "" {
		k, err := m.log.number(ctx, m.stream, m.run, m.numbers)
		if err != nil {
			m.err = err
			return
		}
		m.number = k
		m.data = (&auditRecord{auditVersion, k, m.entry}).marshal()
		m.subject = m.run + "." + strconv.FormatUint(k%slots, 10)
	}
	var options []jetstream.PublishOpt
	if s.server == nil { // a cluster's answer may be lost and the message be there
		options = append(options, jetstream.WithMsgID(m.run+"."+strconv.FormatUint(m.number, 10)))
	}
	m.ack, m.err = s.js.PublishAsync(m.subject, m.data, options...)
}

// acked waits for the acknowledgement. Late fires when it has taken long. A cluster's may be lost then. The server in this process answers in the
// end, however slow the disk is, unless it has given up a stream.
func (m *message) acked(ctx context.Context, late *time.Timer) error {
	if m.err != nil {
		return m.err
	}
	s := m.log.store
	for {
		select {
		case <-m.ack.Ok():
			return nil
		case err := <-m.ack.Err():
			return err
		case <-late.C:
			late.Reset(ackTimeout)
			if s.server == nil || !s.server.well() {
				return fmt.Errorf("not acknowledged in %v", ackTimeout)
			}
		case <-s.lost:
			return s.LostErr()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// again publishes it again, unless it is there already: err is why it is not known to be.
func (m *message) again(ctx context.Context, late *time.Timer, err error) error {
	refused := (*jetstream.APIError)(nil)
	if !errors.As(err, &refused) && m.subject != "" {
		if stored, err := m.stored(ctx); err != nil || stored {
			return err
		}
	}
	m.send(ctx)
	return m.acked(ctx, late)
}

// stored tells whether it is in its stream: it, or one that came after it to the same slot. A run's entries are stored in the order in which they were
// published, as far as they are stored.
func (m *message) stored(ctx context.Context) (bool, error) {
	msg, err := m.stream.stream.GetLastMsgForSubject(ctx, m.subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the last entry of %q: %w", m.subject, err)
	}
	var r auditRecord
	if err := json.Unmarshal(msg.Data, &r); err != nil {
		return false, fmt.Errorf("decoding the last entry of %q: %w", m.subject, err)
	}
	return r.K >= m.number, nil
}
