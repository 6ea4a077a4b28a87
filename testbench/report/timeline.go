package report

import (
	"cmp"
	"slices"
	"time"
)

// Timeline is what a scenario's device had of its network, over the time of the scenario.
type Timeline struct {
	Samples []Sample `json:"samples"` // in order of time
}

// Sample is one look.
type Sample struct {
	At     time.Duration `json:"at_ns"` // since the scenario began
	Link   LinkState     `json:"link"`
	Signal int           `json:"signal_dbm,omitempty"` // RSSI; 0: nothing is received
	Up     int64         `json:"up"`                   // bytes from the device, since the first sample
	Down   int64         `json:"down"`                 // and to it
}

// LinkState is how far the device has got on its way into the network.
type LinkState string

// The states, from nothing to a session.
const (
	LinkGone       LinkState = "no modem" // it does not answer, or there is no network at all
	LinkBooting    LinkState = "booting"
	LinkNoSIM      LinkState = "no SIM"
	LinkSearching  LinkState = "not registered"
	LinkRegistered LinkState = "registered"
	LinkOnline     LinkState = "online"
)

// maxSamples bounds a timeline: a drawing has no more pixels to show them.
const maxSamples = 400

// Add appends a sample, and keeps the timeline bounded by dropping every second one where nothing but the bytes has changed. Of samples that are all
// alike it keeps the first and the last.
func (t *Timeline) Add(s Sample) {
	if n := len(t.Samples); n > 1 && s.same(t.Samples[n-1]) && s.same(t.Samples[n-2]) {
		t.Samples[n-1].At = s.At
		return
	}
	t.Samples = append(t.Samples, s)
	if len(t.Samples) <= maxSamples {
		return
	}
	kept := t.Samples[:1]
	for i := 1; i < len(t.Samples); i++ {
		last := i == len(t.Samples)-1
		if last || i%2 == 0 || t.Samples[i].Link != t.Samples[i-1].Link || t.Samples[i].Link != t.Samples[i+1].Link {
			kept = append(kept, t.Samples[i])
		}
	}
	t.Samples = kept
}

func (s Sample) same(o Sample) bool {
	s.At = o.At
	return s == o
}

// length is the time of the last sample.
func (t *Timeline) length() time.Duration {
	if len(t.Samples) == 0 {
		return 0
	}
	return t.Samples[len(t.Samples)-1].At
}

// rateSteps is how many rates a timeline has.
const rateSteps = 80

// rates are the bits a second in steps of one length, from the first sample to the last. Samples come as often as a busy machine lets them; a rate between
// two of them would mostly tell how near they are.
func (t *Timeline) rates(bytes func(Sample) int64) (rates []float64, peak float64) {
	if len(t.Samples) == 0 {
		return nil, 0
	}
	first := t.Samples[0].At
	step := float64(t.length()-first) / rateSteps
	if step < 1 {
		return nil, 0
	}
	before := float64(bytes(t.Samples[0]))
	for i := range rateSteps {
		now := t.bytesAt(first+time.Duration(step*float64(i+1)), bytes)
		rate := max(8*(now-before)/(step/float64(time.Second)), 0)
		rates, peak, before = append(rates, rate), max(peak, rate), now
	}
	return rates, peak
}

// bytesAt counts up to a moment, as if bytes moved evenly from one sample to the next.
func (t *Timeline) bytesAt(at time.Duration, bytes func(Sample) int64) float64 {
	i, found := slices.BinarySearchFunc(t.Samples, at, func(s Sample, at time.Duration) int { return cmp.Compare(s.At, at) })
	switch {
	case found:
		return float64(bytes(t.Samples[i]))
	case i == 0:
		return float64(bytes(t.Samples[0]))
	case i == len(t.Samples):
		return float64(bytes(t.Samples[i-1]))
	}
	before, after := t.Samples[i-1], t.Samples[i]
	part := float64(at-before.At) / float64(after.At-before.At)
	return float64(bytes(before)) + part*float64(bytes(after)-bytes(before))
}

func bytesUp(s Sample) int64   { return s.Up }
func bytesDown(s Sample) int64 { return s.Down }
