package sms

import "iter"

// Status is what a stored message is, by the numbers of TS 27.005 section 3.1.
type Status int

// The statuses.
const (
	ReceivedUnread Status = iota
	ReceivedRead
	StoredUnsent
	StoredSent
)

// Message is a message in a store.
type Message struct {
	Status Status
	Centre Address
	TPDU   []byte
}

// Outgoing tells that the TPDU is one that a mobile sends.
func (m *Message) Outgoing() bool { return m.Status == StoredUnsent || m.Status == StoredSent }

// MarkRead makes an unread message a read one.
func (m *Message) MarkRead() {
	if m.Status == ReceivedUnread {
		m.Status = ReceivedRead
	}
}

// Parse reads the TPDU.
func (m *Message) Parse() (TPDU, error) {
	if !m.Outgoing() {
		return ParseFromCentre(m.TPDU)
	}
	s, err := ParseSubmit(m.TPDU)
	if err != nil {
		return nil, err // not a nil pointer in an interface
	}
	return s, nil
}

// Store holds messages in numbered places. It is not safe for concurrent use.
type Store struct {
	slots []*Message
	used  int
}

// NewStore makes a store of some size.
func NewStore(size int) *Store { return &Store{slots: make([]*Message, size)} }

// Size is how many messages the store can hold.
func (s *Store) Size() int { return len(s.slots) }

// Used is how many there are.
func (s *Store) Used() int { return s.used }

// Add puts a message into the first free place; ok is false when the store is full.
func (s *Store) Add(m Message) (index int, ok bool) {
	for i, old := range s.slots {
		if old == nil {
			s.slots[i] = &m
			s.used++
			return i, true
		}
	}
	return 0, false
}

// Get gives the message in a place, to be changed in place; nil when there is none.
func (s *Store) Get(i int) *Message {
	if i < 0 || i >= len(s.slots) {
		return nil
	}
	return s.slots[i]
}

// Delete empties a place.
func (s *Store) Delete(i int) {
	if s.Get(i) != nil {
		s.slots[i] = nil
		s.used--
	}
}

// All gives the messages with their places, in order.
func (s *Store) All() iter.Seq2[int, *Message] {
	return func(yield func(int, *Message) bool) {
		for i, m := range s.slots {
			if m != nil && !yield(i, m) {
				return
			}
		}
	}
}
