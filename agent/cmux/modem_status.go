package cmux

import "fmt"

// tellLocked sends the channel's signals and its FC bit by MSC, repeated until the peer confirms these.
func (c *Channel) tellLocked() {
	value := []byte{c.dlci<<2 | cr | ea, c.local.octet(c.holding)}
	c.m.messageLocked(msgMSC, c.dlci, value, nil)
}

// Signals are the peer's, as it told them last; none until it did.
func (c *Channel) Signals() Signals {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.remote
}

// SignalsChanged gets a value when Signals may have changed since the last: it holds one at most.
func (c *Channel) SignalsChanged() <-chan struct{} { return c.changed }

// SetSignals tells the peer ours. A channel begins with RTC and RTR, and with DV at the initiator.
func (c *Channel) SetSignals(s Signals) error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if c.err != nil {
		return fmt.Errorf("setting the signals of DLCI %d: %w", c.dlci, c.err)
	}
	if s != c.local {
		c.local = s
		c.tellLocked()
	}
	return nil
}
