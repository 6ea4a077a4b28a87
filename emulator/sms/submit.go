package sms

import (
	"fmt"
	"time"
)

// locked runs f with the lock, and then wakes those who watch the mailbox that f gives.
func (c *Centre) locked(f func() (*mailbox, error)) error {
	c.mu.Lock()
	box, err := f()
	var wake []func()
	if box != nil {
		wake = box.wakersLocked()
	}
	c.mu.Unlock()
	for _, w := range wake {
		w()
	}
	return err
}

// Submit takes a message from a mobile. The error is a *Reject.
func (c *Centre) Submit(imsi string, centre Address, s *Submit) error {
	if centre.Text != c.number.Text {
		return &Reject{CauseNetworkOutOfOrder, fmt.Sprintf("service centre %q is not this network's, which is %s", centre, c.number)}
	}
	return c.locked(func() (*mailbox, error) { return c.submitLocked(imsi, s) })
}

func (c *Centre) submitLocked(imsi string, s *Submit) (wake *mailbox, err error) {
	from := c.boxes[imsi]
	if from == nil {
		return nil, &Reject{CauseUnidentified, "the subscriber is not known"}
	}
	now := c.now().Truncate(time.Second)
	to := c.findLocked(s.Destination)
	if to != nil && len(to.waiting) >= maxWaiting {
		return nil, &Reject{CauseCongestion, fmt.Sprintf("%d messages wait for the recipient", maxWaiting)}
	}
	var report *reportTo
	if s.StatusReport {
		report = &reportTo{from, s.Reference, s.Destination, now}
	}
	from.remember(now, s)
	c.log.Info("short message accepted", "from", from.own.String(), "to", s.Destination.String(), "subscriber", to != nil)
	if to == nil {
		return c.reportLocked(report, now, StatusReceived), nil
	}
	lapses, ok := s.Validity.Until(now)
	if !ok {
		lapses = now.Add(longestValidity)
	}
	c.putLocked(to, &item{lapses: lapses, report: report, tpdu: &Deliver{
		StatusReport: s.StatusReport, ReplyPath: s.ReplyPath, Origin: from.own, PID: s.PID, DCS: s.DCS, Time: now, UserData: s.UserData,
	}})
	return to, nil
}

// reportLocked queues a status report if one was asked for, and gives whom to wake for it.
func (c *Centre) reportLocked(r *reportTo, at time.Time, status byte) (wake *mailbox) {
	if r == nil {
		return nil
	}
	c.putLocked(r.box, &item{lapses: at.Add(longestValidity), tpdu: &StatusReport{
		Reference: r.reference, Recipient: r.recipient, Time: r.accepted, Discharge: at, Status: status,
	}})
	return r.box
}
