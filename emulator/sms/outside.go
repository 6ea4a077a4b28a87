package sms

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// ErrTooMany is returned by Send when too many messages wait for the subscriber.
var ErrTooMany = fmt.Errorf("%d messages wait for the subscriber: it takes none", maxWaiting)

// SentMessage is what a subscriber sent, with its parts put together.
type SentMessage struct {
	At       time.Time `json:"at"`
	To       string    `json:"to"`
	Text     string    `json:"text"` // "" when the message holds octets; of an incomplete one, the parts that are there
	Data     string    `json:"data"` // octets in hexadecimal; "" when the message holds text
	Parts    int       `json:"parts"`
	Complete bool      `json:"complete"`

	key   concatKey
	parts []string // by number from 0; "" for one that is missing
	have  int
}

// concatKey is what the parts of one message have in common.
type concatKey struct {
	to        Address
	reference uint16
	wide      bool
	total     int
	octets    bool
}

// remember adds a message to what its sender sent. Centre.mu is held.
func (b *mailbox) remember(at time.Time, s *Submit) {
	a, _ := Coding(s.DCS)
	content := s.UserData.Text(s.DCS)
	if a == Octets {
		content = hex.EncodeToString(s.UserData.Data)
	}
	concat, long := s.UserData.Concat()
	if !long {
		concat = Concat{Total: 1, Part: 1}
	}
	key := concatKey{s.Destination, concat.Reference, concat.Wide, concat.Total, a == Octets}
	var m *SentMessage
	for i := len(b.sent) - 1; i >= 0 && long && m == nil; i-- {
		if old := b.sent[i]; old.key == key && !old.Complete && old.parts[concat.Part-1] == "" {
			m = old
		}
	}
	if m == nil {
		m = &SentMessage{At: at, To: s.Destination.String(), Parts: concat.Total, key: key, parts: make([]string, concat.Total)}
		b.sent = append(b.sent, m)
		if len(b.sent) > maxSent {
			b.sent = b.sent[1:]
		}
	}
	m.parts[concat.Part-1] = content
	m.have++
	m.Complete = m.have >= m.Parts
	if whole := strings.Join(m.parts, ""); a == Octets {
		m.Data = whole
	} else {
		m.Text = whole
	}
}

// Sent gives what a subscriber sent, the oldest first; ok is false when there is no such subscriber.
func (c *Centre) Sent(imsi string) (list []SentMessage, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	box := c.boxes[imsi]
	if box == nil {
		return nil, false
	}
	list = []SentMessage{}
	for _, m := range box.sent {
		list = append(list, *m)
	}
	return list, true
}

// Send takes a message from the world outside for a subscriber: from is a number or a name. It gives how many parts it is sent in.
func (c *Centre) Send(imsi, from, text string) (parts int, err error) {
	origin, err := ParseSender(from)
	if err != nil {
		return 0, fmt.Errorf("from: %w", err)
	}
	if text == "" {
		return 0, fmt.Errorf("text: must not be empty")
	}
	err = c.locked(func() (*mailbox, error) {
		box := c.boxes[imsi]
		if box == nil {
			return nil, fmt.Errorf("subscriber %q: not known", imsi)
		}
		c.reference++
		dcs, list, err := Split(text, c.reference)
		if err != nil {
			return nil, fmt.Errorf("text: %w", err)
		}
		if len(box.waiting)+len(list) > maxWaiting {
			return nil, ErrTooMany
		}
		now := c.now().Truncate(time.Second)
		for _, u := range list {
			c.putLocked(box, &item{lapses: now.Add(longestValidity), tpdu: &Deliver{Origin: origin, DCS: dcs, Time: now, UserData: u}})
		}
		parts = len(list)
		return box, nil
	})
	return parts, err
}
