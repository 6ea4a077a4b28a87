package atline

import (
	"context"
	"fmt"
	"io"
)

// Handover sends a command after whose OK the port speaks another protocol, as +CMUX, and returns the port from the first byte
// after that line on. Return brings it back.
func (l *Line) Handover(ctx context.Context, cmd string) (*Data, error) {
	p := newPending(cmd, false)
	p.hands = true
	p, _, err := l.exec(ctx, p)
	if err != nil {
		return nil, err
	}
	return p.data, nil
}

// Seize is Handover without a command, for a modem that an earlier process left in another protocol.
func (l *Line) Seize(ctx context.Context) (*Data, error) {
	release, err := l.acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("seizing the port: %w", err)
	}
	defer release()
	l.bus.Lock() // between two lines
	defer l.bus.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.lost != nil:
		return nil, fmt.Errorf("seizing the port: %w", io.EOF)
	case l.data != nil:
		return nil, fmt.Errorf("seizing the port: %w", ErrOnline)
	}
	l.data, l.online = newData(l), true
	return l.data, nil
}

// Return tells that the port of a Handover is in command mode again. Its Data ends.
func (l *Line) Return() {
	l.mu.Lock()
	d := l.data
	l.mu.Unlock()
	if d != nil {
		d.Close()
	}
	l.mu.Lock()
	l.online, l.dirty = false, true // what is left of the protocol may look like a reply
	l.mu.Unlock()
}
