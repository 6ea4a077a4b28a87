package sms

import (
	"slices"
	"time"
)

// Delivery is a message on its way to a mobile, which is to answer with Acknowledge or Refuse. Until then Next gives it again.
type Delivery struct {
	Centre Address
	TPDU   []byte
	imsi   string
	id     uint64
}

// Next gives the message that is to be delivered to a subscriber now, if there is one.
func (c *Centre) Next(imsi string) (d Delivery, ok bool) {
	for {
		lapsed := false
		err := c.locked(func() (*mailbox, error) {
			box := c.boxes[imsi]
			if box == nil || box.full || len(box.waiting) == 0 {
				return nil, nil
			}
			it, now := box.waiting[0], c.now().Truncate(time.Second)
			if lapsed = !now.Before(it.lapses); lapsed {
				box.waiting = box.waiting[1:]
				c.log.Info("short message lapsed", "to", box.own.String())
				return c.reportLocked(it.report, now, StatusExpired), nil
			}
			more := len(box.waiting) > 1
			switch t := it.tpdu.(type) {
			case *Deliver:
				t.More = more
			case *StatusReport:
				t.More = more
			}
			b, err := it.tpdu.Encode()
			if err != nil {
				box.waiting = box.waiting[1:]
				return nil, err
			}
			d, ok = Delivery{Centre: c.number, TPDU: b, imsi: imsi, id: it.id}, true
			return nil, nil
		})
		if err != nil { // what Submit and Send take can be encoded
			c.log.Error("short message dropped", "imsi", imsi, "error", err)
			continue
		}
		if !lapsed {
			return d, ok
		}
	}
}

// Acknowledge ends a delivery that the mobile took (RP-ACK).
func (c *Centre) Acknowledge(d Delivery) { c.end(d, StatusReceived) }

// Refuse ends a delivery that the mobile did not take (RP-ERROR). One that was refused for want of memory is kept until
// MemoryAvailable; others are lost.
func (c *Centre) Refuse(d Delivery, cause byte) {
	c.log.Info("short message refused", "imsi", d.imsi, "cause", cause)
	if cause != CauseMemoryFull {
		c.end(d, StatusRejected)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if box := c.boxes[d.imsi]; box != nil {
		box.full = true
	}
}

func (c *Centre) end(d Delivery, status byte) {
	c.locked(func() (*mailbox, error) {
		box := c.boxes[d.imsi]
		i := -1
		if box != nil {
			i = slices.IndexFunc(box.waiting, func(it *item) bool { return it.id == d.id })
		}
		if i < 0 {
			return nil, nil
		}
		it := box.waiting[i]
		box.waiting = slices.Delete(box.waiting, i, i+1)
		return c.reportLocked(it.report, c.now().Truncate(time.Second), status), nil
	})
}

// MemoryAvailable says that a mobile has room again (RP-SMMA).
func (c *Centre) MemoryAvailable(imsi string) {
	c.locked(func() (*mailbox, error) {
		box := c.boxes[imsi]
		if box != nil {
			box.full = false
		}
		return box, nil
	})
}
