package agent

// Class is what kind of cure a failure needs.
type Class int

// The classes, from the least to the most that has to be done.
const (
	ClassBackOff Class = iota // goes away by itself, or by the ladder's next step
	ClassRetry                // of a link that was up: the next dial mostly does it, at once
	ClassReset                // the modem does not do what it is told: only a restart helps
	ClassPerson               // somebody has to change something; it is looked at again in the longest pause
)

var classNames = [...]string{"back off", "retry", "reset", "needs a person"}

func (c Class) String() string { return classNames[c] }

// MarshalText gives the name, in JSON too.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a name; one that is not known is ClassBackOff.
func (c *Class) UnmarshalText(b []byte) error {
	*c = ClassBackOff
	for i, n := range classNames {
		if n == string(b) {
			*c = Class(i)
		}
	}
	return nil
}

// Cure is a step of the ladder.
type Cure int

// The steps, from the gentlest to the last.
const (
	CureRedial     Cure = iota // nothing but a new round
	CureReattach               // end the context, detach from the network and attach again
	CureRadio                  // radio off and on (+CFUN=4, +CFUN=1)
	CureReset                  // restart the modem by its vendor's command
	CurePowerCycle             // the configured command
)

var cureNames = [...]string{"redial", "reattach", "radio", "reset", "power-cycle"}

func (c Cure) String() string { return cureNames[c] }

// MarshalText gives the name, in JSON too.
func (c Cure) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// curable are the steps that can help against a cause: the first that does more than a new round, and the last. The others only
// wait: no restart of the modem brings back a service of the host, or makes a signal stronger.
var curable = map[Code]struct{ first, last Cure }{
	NoModem:       {CurePowerCycle, CurePowerCycle}, // there is no port to send anything to
	SIM:           {CureRadio, CurePowerCycle},
	WeakSignal:    {CureRadio, CureRadio}, // it may find a better cell
	NotRegistered: {CureRadio, CurePowerCycle},
	NoContext:     {CureReattach, CurePowerCycle},
	PPPAuth:       {CureReattach, CurePowerCycle},
	NoAddress:     {CureReattach, CurePowerCycle},
	DeadLink:      {CureReattach, CurePowerCycle},
}
