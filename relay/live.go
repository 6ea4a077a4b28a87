package relay

import (
	"sync"
)

// liveConnections are the connections that have got past the first checks, by id: for the API's list, and for cutting one.
type liveConnections struct {
	mu   sync.Mutex
	byID map[string]*connection // guarded by mu
}

func (l *liveConnections) add(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = make(map[string]*connection)
	}
	l.byID[c.id] = c
}

func (l *liveConnections) remove(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byID, c.id)
}

func (l *liveConnections) get(id string) *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id]
}

func (l *liveConnections) all() []*connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*connection, 0, len(l.byID))
	for _, c := range l.byID {
		list = append(list, c)
	}
	return list
}

func (l *liveConnections) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.byID)
}
