// Package relaytest proves that a relay which may end at any moment keeps what it has answered.
//
//	l := relaytest.NewLedger(simID)
//	l.Work(ctx, client, 50, kill) // creates and deletes until the relay was killed in the middle of them
//	... start it again ...
//	err := l.Check(ctx, client, dial)
package relaytest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"

	"minato/relay/relayapi"
)

// Ledger makes calls and notes what was answered.
type Ledger struct {
	sim string

	mu      sync.Mutex
	there   map[netip.AddrPort]bool  // guarded by mu: answered creates; false: its delete was answered
	unsure  map[netip.AddrPort]bool  // guarded by mu: whose delete was asked for and not answered
	created map[netip.AddrPort]int   // guarded by mu: answered creates
	deleted map[netip.AddrPort]int   // guarded by mu: answered deletes
	times   map[netip.AddrPort]int64 // guarded by mu: createdTime of the last answered create
	calls   int                      // guarded by mu
}

// NewLedger is for mappings of a SIM's port 80, for two hours.
func NewLedger(simID string) *Ledger {
	return &Ledger{
		sim: simID, there: map[netip.AddrPort]bool{}, unsure: map[netip.AddrPort]bool{},
		created: map[netip.AddrPort]int{}, deleted: map[netip.AddrPort]int{}, times: map[netip.AddrPort]int64{},
	}
}

// Calls tells how many were answered.
func (l *Ledger) Calls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls
}

// Work creates and deletes from several goroutines. When so many more calls were answered it calls kill, while others are in the middle of a call, and
// returns when none is answered any more.
func (l *Ledger) Work(ctx context.Context, client *relayapi.Client, calls int, kill func()) {
	until := l.Calls() + calls
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() { // ends when the relay is gone
			for l.call(ctx, client) {
				if l.Calls() >= until {
					kill()
				}
			}
		})
	}
	working.Wait()
}

// call makes one call and notes its answer; false: there was none.
func (l *Ledger) call(ctx context.Context, client *relayapi.Client) bool {
	if at := l.chooseDelete(); at.IsValid() {
		if err := client.DeletePortMapping(ctx, at.Addr().String(), int(at.Port())); err != nil {
			return false
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.there[at] = false
		delete(l.unsure, at)
		l.deleted[at]++
		l.calls++
		return true
	}
	hours := 7200
	m, err := client.CreatePortMapping(ctx, relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: l.sim, Port: 80}, Duration: &hours})
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := addrPort(m)
	l.there[at] = true
	l.created[at]++
	l.times[at] = m.CreatedTime
	l.calls++
	return true
}

// chooseDelete takes one of the mappings, each third time.
func (l *Ledger) chooseDelete() netip.AddrPort {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rand.IntN(3) != 0 {
		return netip.AddrPort{}
	}
	for at, there := range l.there {
		if there && !l.unsure[at] {
			l.unsure[at] = true
			return at
		}
	}
	return netip.AddrPort{}
}

func addrPort(m *relayapi.PortMapping) netip.AddrPort {
	addr, _ := netip.ParseAddr(m.IPAddress) // the zero address is found nowhere
	return netip.AddrPortFrom(addr, uint16(m.Port))
}

// Check compares what is there with what was answered: each answered create on its port, which dial reaches, and no answered delete.
func (l *Ledger) Check(ctx context.Context, client *relayapi.Client, dial func(netip.AddrPort) error) error {
	list, err := client.ListPortMappings(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var wrong []error
	found, born := map[netip.AddrPort]bool{}, map[netip.AddrPort]int64{}
	for i := range list {
		at := addrPort(&list[i])
		found[at], born[at] = true, list[i].CreatedTime
		if err := dial(at); err != nil {
			wrong = append(wrong, fmt.Errorf("%s is stored, and closed: %w", at, err))
		}
	}
	for at, there := range l.there {
		switch {
		case l.unsure[at]: // either is right; what is found is what holds
			l.there[at] = found[at]
			delete(l.unsure, at)
		case there && !found[at]:
			wrong = append(wrong, fmt.Errorf("%s: its create was answered, and it is gone", at))
		case !there && found[at] && born[at] == l.times[at]:
			wrong = append(wrong, fmt.Errorf("%s: its delete was answered, and it is back", at))
		case !there && found[at]: // another, whose create was under way at the kill
			l.there[at] = true
		}
	}
	return errors.Join(wrong...)
}

// CheckAudit looks for each answered call in the audit log.
func (l *Ledger) CheckAudit(ctx context.Context, client *relayapi.Client) error {
	type call struct {
		typ  string
		port int64
	}
	logged := map[call]int{}
	for _, typ := range []string{relayapi.AuditCreated, relayapi.AuditDeleted} {
		for q := (relayapi.AuditQuery{Type: typ, Limit: 1000}); ; {
			list, next, err := client.ConnectionLogs(ctx, q)
			if err != nil {
				return err
			}
			for _, e := range list {
				logged[call{typ, e.Direction.DestinationPort}]++
			}
			if q.LastEvaluatedKey = next; next == "" {
				break
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var wrong []error
	for typ, answered := range map[string]map[netip.AddrPort]int{relayapi.AuditCreated: l.created, relayapi.AuditDeleted: l.deleted} {
		for at, n := range answered {
			if got := logged[call{typ, int64(at.Port())}]; got < n {
				wrong = append(wrong, fmt.Errorf("%s: %d %s answered, %d in the audit log", at, n, typ, got))
			}
		}
	}
	return errors.Join(wrong...)
}
