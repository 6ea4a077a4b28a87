package sms

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// DefaultNumber is the address of the service centre, which a SIM comes with.
const DefaultNumber = "+819000000001"

const (
	maxWaiting      = 1000               // messages that wait for one subscriber
	maxSent         = 1000               // messages that are remembered of one subscriber; older ones are forgotten
	longestValidity = 7 * 24 * time.Hour // of messages that do not say
)

// Subscriber is who can send and receive.
type Subscriber struct {
	IMSI   string
	MSISDN string // "": no number reaches it
}

// CentreConfig describes a service centre.
type CentreConfig struct {
	Number      string // "": DefaultNumber
	Subscribers []Subscriber
	Now         func() time.Time // nil: time.Now
	Logger      *slog.Logger     // nil: silent
}

// Centre is the network's service centre. Messages between its subscribers are kept until they can be delivered or lapse; messages to
// any other number are taken to have arrived in the world outside.
type Centre struct {
	number Address
	now    func() time.Time
	log    *slog.Logger

	boxes map[string]*mailbox // by IMSI; never changes

	mu        sync.Mutex
	seq       uint64 // guarded by mu: the last number that was given to an item or a watcher
	reference byte   // guarded by mu: of the last long message from outside
}

// mailbox is what the centre keeps for one subscriber. Centre.mu guards it.
type mailbox struct {
	Subscriber
	own      Address // MSISDN
	waiting  []*item
	full     bool // refused for want of memory: wait for MemoryAvailable
	sent     []*SentMessage
	watchers map[uint64]func()
}

// item is one message that waits.
type item struct {
	id     uint64
	tpdu   TPDU // *Deliver or *StatusReport
	lapses time.Time
	report *reportTo // nil: nobody wants one
}

// reportTo is whom to tell what became of a message.
type reportTo struct {
	box       *mailbox
	reference byte
	recipient Address
	accepted  time.Time
}

// NewCentre makes a service centre.
func NewCentre(cfg CentreConfig) (*Centre, error) {
	if cfg.Number == "" {
		cfg.Number = DefaultNumber
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	number, err := ParseAddress(cfg.Number)
	if err != nil {
		return nil, fmt.Errorf("making a service centre: %w", err)
	}
	c := &Centre{number: number, now: cfg.Now, log: cfg.Logger, boxes: map[string]*mailbox{}}
	for _, s := range cfg.Subscribers {
		box := &mailbox{Subscriber: s, watchers: map[uint64]func(){}}
		if s.MSISDN != "" {
			box.own = Address{TypeInternational, trimPlus(s.MSISDN)}
			if err := box.own.validate(); err != nil {
				return nil, fmt.Errorf("making a service centre: subscriber %s: %w", s.IMSI, err)
			}
		}
		c.boxes[s.IMSI] = box
	}
	return c, nil
}

// Number is the centre's address.
func (c *Centre) Number() Address { return c.number }

// Watch has wake called when there may be something for a subscriber, from now until stop. wake must not block.
func (c *Centre) Watch(imsi string, wake func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	box := c.boxes[imsi]
	if box == nil {
		return func() {}
	}
	c.seq++
	id := c.seq
	box.watchers[id] = wake
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(box.watchers, id)
	}
}

// wakersLocked gives the functions to call, without the lock, when there is something for a subscriber.
func (b *mailbox) wakersLocked() []func() {
	var list []func()
	for _, w := range b.watchers {
		list = append(list, w)
	}
	return list
}

// putLocked queues a message.
func (c *Centre) putLocked(box *mailbox, it *item) {
	c.seq++
	it.id = c.seq
	box.waiting = append(box.waiting, it)
}

// findLocked gives the mailbox that a number reaches: the international form, or the national one with its trunk prefix 0 and
// without the country code, if that is one subscriber's only.
func (c *Centre) findLocked(to Address) *mailbox {
	var found *mailbox
	for _, box := range c.boxes {
		if box.own == (Address{}) || to.alphanumeric() {
			continue
		}
		if box.own.Text == to.Text {
			return box
		}
		if to.Type&0x70 != 0x10 && nationalOf(box.own.Text, to.Text) {
			if found != nil {
				return nil
			}
			found = box
		}
	}
	return found
}

// nationalOf tells whether dialled is a number in the national form; country codes have one to three digits (E.164).
func nationalOf(number, dialled string) bool {
	if len(dialled) < 5 || dialled[0] != '0' {
		return false
	}
	rest := dialled[1:]
	code := len(number) - len(rest)
	return code >= 1 && code <= 3 && number[code:] == rest
}

func trimPlus(s string) string {
	if s != "" && s[0] == '+' {
		return s[1:]
	}
	return s
}
