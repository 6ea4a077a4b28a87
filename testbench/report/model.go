package report

import (
	"slices"
	"strconv"
	"time"
)

// Status of a result.
type Status string

const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Interrupted is why a result was skipped that the user's end of the run cut short, or kept from beginning.
const Interrupted = "interrupted"

// Run is one run of the testbench.
type Run struct {
	Title    string        `json:"title,omitempty"` // "": Minato testbench
	Kind     string        `json:"kind,omitempty"`  // what the results are, in one word; "": scenario
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration_ns"`       // 0: the sum of the results
	Machine  string        `json:"machine"`           // one line: name, system, processor
	Version  string        `json:"version,omitempty"` // of the program that ran it
	SIM      string        `json:"sim,omitempty"`     // that a check looked at, as it was named: id or IMSI
	Relay    string        `json:"relay,omitempty"`   // URL of the relay that a check went through
	Seed     uint64        `json:"seed,omitempty"`    // of what scenarios left to chance
	Results  []Result      `json:"results"`
}

// Result of one scenario or check.
type Result struct {
	Name      string        `json:"name"`
	Doc       string        `json:"doc"` // one sentence: what it proves
	Status    Status        `json:"status"`
	Duration  time.Duration `json:"duration_ns"`
	Code      string        `json:"code,omitempty"`  // of the cause, such as R09, where it has one
	Err       string        `json:"error,omitempty"` // why it failed or was skipped
	Hint      string        `json:"hint,omitempty"`  // what to do about it
	Hops      []Hop         `json:"hops,omitempty"`  // parts of the path that it speaks of; none: the whole path
	Values    Values        `json:"values,omitempty"`
	Log       []LogLine     `json:"log,omitempty"`
	Artifacts []Artifact    `json:"artifacts,omitempty"`
	Timeline  *Timeline     `json:"timeline,omitempty"`
	Ladder    *Ladder       `json:"ladder,omitempty"`
}

// Values are what was measured, for programs: each name ends with the unit where there is one.
type Values map[string]float64

// Hop is one part of the path from a client to a device.
type Hop string

const (
	HopClient  Hop = "client"
	HopRelay   Hop = "relay"
	HopNetwork Hop = "network" // the closed network
	HopModem   Hop = "modem"
	HopDevice  Hop = "device"
)

// LogLine is one line of a scenario's own log.
type LogLine struct {
	At    time.Duration `json:"at_ns"` // since the scenario began
	Level string        `json:"level"` // debug, info, warn, error; "": info
	Text  string        `json:"text"`
}

// Artifact is a file that a scenario left: a capture, a screenshot, a log.
type Artifact struct {
	Name string `json:"name"` // shown
	Path string `json:"path"` // relative to the report, with slashes
}

// Counts are the results of a run by status.
type Counts struct{ Pass, Fail, Skip int }

// Total of all.
func (c Counts) Total() int { return c.Pass + c.Fail + c.Skip }

// Counts of the run. A status that is none of the three counts as a failure.
func (r Run) Counts() Counts {
	var c Counts
	for _, result := range r.Results {
		switch result.Status {
		case Pass:
			c.Pass++
		case Skip:
			c.Skip++
		default:
			c.Fail++
		}
	}
	return c
}

// fact is one of a run's properties.
type fact struct{ Name, Value string }

// facts are what is known of how the run was made, in order.
func (r Run) facts() []fact {
	seed := ""
	if r.Seed != 0 {
		seed = strconv.FormatUint(r.Seed, 10)
	}
	all := []fact{{"machine", r.Machine}, {"version", r.Version}, {"SIM", r.SIM}, {"relay", r.Relay}, {"seed", seed}}
	return slices.DeleteFunc(all, func(f fact) bool { return f.Value == "" })
}

// interrupted is true where the user ended the run before its end.
func (r Run) interrupted() bool {
	return slices.ContainsFunc(r.Results, func(result Result) bool { return result.Status == Skip && result.Err == Interrupted })
}

// withDefaults fills what the formats need.
func (r Run) withDefaults() Run {
	if r.Title == "" {
		r.Title = "Minato testbench"
	}
	if r.Kind == "" {
		r.Kind = "scenario"
	}
	if r.Duration == 0 {
		for _, result := range r.Results {
			r.Duration += result.Duration
		}
	}
	return r
}

// sentence is the one that a table has room for.
func (r Result) sentence() string {
	if r.Err != "" {
		return r.Err
	}
	return r.Doc
}
