package sms

import "fmt"

// Causes with which a relay layer refuses a message (TS 24.011 table 8.4); +CMS ERROR shows them as they are (TS 27.005 section 3.2.5).
const (
	CauseMemoryFull        byte = 22
	CauseUnidentified      byte = 28 // subscriber
	CauseNetworkOutOfOrder byte = 38
	CauseCongestion        byte = 42
	CauseProtocol          byte = 111
)

// Reject is the network's no to a message.
type Reject struct {
	Cause  byte
	Reason string
}

func (r *Reject) Error() string { return fmt.Sprintf("%s (cause %d)", r.Reason, r.Cause) }
