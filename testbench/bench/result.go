//go:build linux

package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Result is what a run found.
type Result struct {
	Started time.Time         `json:"started"`
	Machine string            `json:"machine"`
	Rounds  int               `json:"rounds"`
	Peers   map[string]string `json:"peers"` // what each says of its version
	Figures []Comparison      `json:"figures"`
}

// Comparison is one figure of all peers. Less is better.
type Comparison struct {
	Name    string               `json:"name"`
	Unit    string               `json:"unit"`
	Values  map[string][]float64 `json:"values"`            // of each round
	Medians map[string]float64   `json:"medians"`           //
	Against string               `json:"against,omitempty"` // the peer that the relay is set beside; "": it has none
	Ratio   float64              `json:"ratio,omitempty"`   // the relay's median to that peer's
	Limit   float64              `json:"limit,omitempty"`   // most that the ratio shall be; 0: no aim
}

// Holds tells that the ratio is within the limit, or that there is none.
func (c Comparison) Holds() bool { return c.Limit == 0 || c.Ratio <= c.Limit }

// verdict is the ratio in words.
func (c Comparison) verdict() string {
	if c.Against == "" {
		return "-"
	}
	words := fmt.Sprintf("%.2f of %s", c.Ratio, c.Against)
	switch {
	case c.Limit == 0:
		return words
	case c.Holds():
		return fmt.Sprintf("%s, aim %.1f: met", words, c.Limit)
	}
	return fmt.Sprintf("%s, aim %.1f: missed", words, c.Limit)
}

// compare makes medians, finds the peer to be set beside, and the ratio.
func compare(f figure, values map[string][]float64) Comparison {
	c := Comparison{Name: f.name, Unit: f.unit, Values: values, Medians: map[string]float64{}, Limit: f.limit}
	for name, v := range values {
		c.Medians[name] = median(v)
	}
	for name, m := range c.Medians {
		switch {
		case name == "relay", f.against != bestPeer && f.against != name:
		case c.Against == "" || m < c.Medians[c.Against]:
			c.Against = name
		}
	}
	if m := c.Medians[c.Against]; m > 0 {
		c.Ratio = c.Medians["relay"] / m
	} else {
		c.Against = "" // so little load costs less CPU time than the kernel counts
	}
	return c
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if len(v)%2 == 1 {
		return v[len(v)/2]
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2
}

// WriteTable writes the medians and ratios for people.
func WriteTable(w io.Writer, r Result) error {
	fmt.Fprintf(w, "%s, %d interleaved rounds, medians\n\n", r.Machine, r.Rounds)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\tunit\t")
	for _, p := range allPeers {
		fmt.Fprintf(t, "%s\t", p.name)
	}
	fmt.Fprintf(t, "ratio\t\n")
	for _, c := range r.Figures {
		fmt.Fprintf(t, "%s\t%s\t", c.Name, c.Unit)
		for _, p := range allPeers {
			if m, ok := c.Medians[p.name]; ok {
				fmt.Fprintf(t, "%.3g\t", m)
			} else {
				fmt.Fprintf(t, "-\t")
			}
		}
		fmt.Fprintf(t, "%s\t\n", c.verdict())
	}
	return t.Flush()
}

// WriteJSON writes all that was found.
func WriteJSON(w io.Writer, r Result) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
