package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"
)

// The audit log is two streams. Entries about connections come at any rate, so theirs is written without a sync for
// each message; entries about mappings are few and are promises, so theirs is synced before each acknowledgement.
//
// A subject is PREFIX.SIMID.IMSI.NODE.SLOT. The first three parts after the prefix name a run, whose entries this node
// numbers 0, 1, 2, ...; entry k goes to slot k mod slots. So the last message of each slot of a run are its newest
// entries, and one direct get of "the last of each subject up to sequence x" fetches a page of one SIM from among any
// number of others, however long ago, without an index of ours.
const (
	connectionsStream = "MINATO_AUDIT"
	connectionsPrefix = "minato.audit.c"
	controlStream     = "MINATO_AUDIT_CONTROL"
	controlPrefix     = "minato.audit.m"

	// Fewer slots were measured (a million entries of 10,000 SIMs): 32 and 16 save little memory, and a query takes 10 to 20 times as long.
	slots = 128 // a page; up to eight runs fit in one direct get, which answers with 1024 messages at most
)

// auditStream is one of the two.
type auditStream struct {
	name, prefix string
	stream       jetstream.Stream
}

// auditLog appends to both streams and reads them as one.
type auditLog struct {
	store                *Store
	connections, control auditStream

	queue     chan pendingEntry
	committed sync.WaitGroup // the committer
	abandon   context.CancelFunc
	lost      atomic.Int64 // entries that close could not commit

	mu     sync.RWMutex // held for reading while sending to queue, so that close is the last
	closed bool         // guarded by mu
}

func openAudit(ctx context.Context, s *Store) (*auditLog, error) {
	a := &auditLog{
		store:       s,
		connections: auditStream{name: connectionsStream, prefix: connectionsPrefix},
		control:     auditStream{name: controlStream, prefix: controlPrefix},
		queue:       make(chan pendingEntry, queueLength),
	}
	for _, as := range []*auditStream{&a.connections, &a.control} {
		cfg := jetstream.StreamConfig{
			Name:        as.name,
			Subjects:    []string{as.prefix + ".>"},
			MaxAge:      s.cfg.AuditAge,
			Storage:     jetstream.FileStorage,
			Replicas:    s.cfg.Replicas,
			AllowDirect: true,
		}
		if as == &a.connections && s.cfg.Replicas == 1 {
			cfg.PersistMode = jetstream.AsyncPersistMode
		}
		var err error
		if as.stream, err = s.js.CreateOrUpdateStream(ctx, cfg); err != nil {
			return nil, fmt.Errorf("making stream %q: %w", as.name, err)
		}
	}
	working, abandon := context.WithCancel(context.Background())
	a.abandon = abandon
	a.committed.Go(func() { a.commitLoop(working) })
	return a, nil
}

// of tells which stream takes entries of a type.
func (a *auditLog) of(t EntryType) *auditStream {
	if t.Control() {
		return &a.control
	}
	return &a.connections
}

// run is the subject of an entry without its slot.
func (as *auditStream) run(e Entry, node string) string {
	return as.prefix + "." + token(e.SIMID) + "." + token(e.IMSI) + "." + node
}

// filter matches the subjects that a query may find; "" is all of the stream.
func (as *auditStream) filter(q Query) string {
	sim, imsi := "*", "*"
	if q.SIMID == "" && q.IMSI == "" {
		return ""
	}
	if q.SIMID != "" {
		sim = token(q.SIMID)
	}
	if q.IMSI != "" {
		imsi = token(q.IMSI)
	}
	return as.prefix + "." + sim + "." + imsi + ".*.*"
}

// token makes a subject token of any text: identities are digits, which stay as they are.
func token(s string) string {
	switch {
	case s == "":
		return "_"
	case plainToken(s):
		return s
	}
	return "=" + hex.EncodeToString([]byte(s))
}

func plainToken(s string) bool {
	return s != "" && strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") == ""
}
