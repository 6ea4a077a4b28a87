package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// The audit log is one stream of entries about mappings, which are few and are promises, so it is synced before each acknowledgement; and several of
// entries about connections, which come at any rate, so theirs are written without a sync for each message.
//
// A SIM's entries about connections are all in one of the several, its shard. The server reads a stream from the disk in blocks of 8 MB, and the entries
// of a SIM that was quiet lie all over its stream: of a million entries of 10,000 SIMs in one stream, a hundred of one SIM need them all to be
// read, in a sixteenth of it they need 40 MB.
//
// A subject is PREFIX.SIMID.IMSI.NODE.SLOT. The first three parts after the prefix name a run, whose entries this node
// numbers 0, 1, 2, ...; entry k goes to slot k mod slots. So the last message of each slot of a run are its newest
// entries, and one direct get of "the last of each subject up to sequence x" fetches a page of one SIM from among any
// number of others, however long ago, without an index of ours.
const (
	connectionsStream = "MINATO_AUDIT_" // and the shard's number
	connectionsPrefix = "minato.audit.c"
	controlStream     = "MINATO_AUDIT_CONTROL"
	controlPrefix     = "minato.audit.m"

	shards = 16 // part of the format of what is stored: a SIM's entries are looked for in one of so many

	// Fewer slots were measured (a million entries of 10,000 SIMs): 32 and 16 save little memory, and a query takes 10 to 20 times as long.
	slots = 128 // a page; up to eight runs fit in one direct get, which answers with 1024 messages at most
)

// auditStream is one of them.
type auditStream struct {
	name, prefix string
	stream       jetstream.Stream
}

// auditLog appends to the streams and reads them as one.
type auditLog struct {
	store       *Store
	connections [shards]auditStream
	control     auditStream

	queue     chan pendingEntry
	haste     chan struct{}  // of capacity 1: the committer shall not gather
	committed sync.WaitGroup // the committer
	abandon   context.CancelFunc
	lost      atomic.Int64 // entries that close could not commit
	waiting   atomic.Int64 // time of the entry that could not be stored yet, the oldest, in nanoseconds since 1970; 0: there is none

	mu     sync.RWMutex // held for reading while sending to queue, so that close is the last
	closed bool         // guarded by mu
}

func openAudit(ctx context.Context, s *Store) (*auditLog, error) {
	a := &auditLog{
		store:   s,
		control: auditStream{name: controlStream, prefix: controlPrefix},
		queue:   make(chan pendingEntry, queueLength),
		haste:   make(chan struct{}, 1),
	}
	for i := range a.connections {
		n := fmt.Sprintf("%02d", i)
		a.connections[i] = auditStream{name: connectionsStream + n, prefix: connectionsPrefix + n}
	}
	var opening errgroup.Group
	for _, as := range a.streams() {
		opening.Go(func() error { return a.open(ctx, as) })
	}
	if err := opening.Wait(); err != nil {
		return nil, err
	}
	working, abandon := context.WithCancel(context.Background())
	a.abandon = abandon
	a.committed.Go(func() { a.commitLoop(working) })
	return a, nil
}

// open makes a stream, or opens it.
func (a *auditLog) open(ctx context.Context, as *auditStream) (err error) {
	cfg := jetstream.StreamConfig{
		Name:        as.name,
		Subjects:    []string{as.prefix + ".>"},
		MaxAge:      a.store.cfg.AuditAge,
		Storage:     jetstream.FileStorage,
		Replicas:    a.store.cfg.Replicas,
		AllowDirect: true,
	}
	if as != &a.control && a.store.cfg.Replicas == 1 {
		cfg.PersistMode = jetstream.AsyncPersistMode
	}
	if as.stream, err = a.store.js.CreateOrUpdateStream(ctx, cfg); err != nil {
		return fmt.Errorf("making stream %q: %w", as.name, err)
	}
	return nil
}

// streams are all, those about connections first.
func (a *auditLog) streams() []*auditStream {
	list := make([]*auditStream, 0, shards+1)
	for i := range a.connections {
		list = append(list, &a.connections[i])
	}
	return append(list, &a.control)
}

// of tells which stream takes an entry.
func (a *auditLog) of(e Entry) *auditStream {
	if e.Type.Control() {
		return &a.control
	}
	return a.shard(e.SIMID)
}

// shard is the stream of a SIM's entries about connections.
func (a *auditLog) shard(sim string) *auditStream {
	h := fnv.New32a()
	h.Write([]byte(sim))
	return &a.connections[h.Sum32()%shards]
}

// readable are the streams in which a query may find something.
func (a *auditLog) readable(q Query) []*auditStream {
	switch {
	case q.Type.Control():
		return []*auditStream{&a.control}
	case q.SIMID != "" && q.Type != "":
		return []*auditStream{a.shard(q.SIMID)}
	case q.SIMID != "":
		return []*auditStream{a.shard(q.SIMID), &a.control}
	case q.Type != "":
		return a.streams()[:shards]
	}
	return a.streams()
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
	case len(s) > maxName:
		return digest(s)
	case plainToken(s):
		return s
	}
	return "=" + hex.EncodeToString([]byte(s))
}

func plainToken(s string) bool {
	return s != "" && strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") == ""
}
