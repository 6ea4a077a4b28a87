package agent

// State is how far a round has come.
type State int

// The states, in the order of a round.
const (
	StateIdle State = iota // between rounds
	StatePort
	StateIdentify
	StateSIM
	StateRegistered
	StateContext
	StateDial
	StatePPP
	StateIP
	StateServices
	StateOnline // all services are up
)

var stateNames = [...]string{"idle", "port", "identify", "sim", "registered", "context", "dial", "ppp", "ip", "services", "online"}

func (s State) String() string { return stateNames[s] }

// MarshalText gives the name, in JSON too.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name; one that is not known is StateIdle.
func (s *State) UnmarshalText(b []byte) error {
	*s = StateIdle
	for i, n := range stateNames {
		if n == string(b) {
			*s = State(i)
		}
	}
	return nil
}
