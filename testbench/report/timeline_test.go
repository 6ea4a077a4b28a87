package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at makes a sample, with its time in seconds.
func at(seconds float64, link LinkState, signal int, up, down int64) Sample {
	return Sample{At: time.Duration(seconds * float64(time.Second)), Link: link, Signal: signal, Up: up, Down: down}
}

// sampleTimeline is a link that comes up, carries bytes, is lost with its modem and comes back.
func sampleTimeline() *Timeline {
	return &Timeline{Samples: []Sample{
		at(0.5, LinkBooting, 0, 0, 0), at(1, LinkSearching, -97, 0, 0), at(2, LinkRegistered, -71, 0, 0), at(2.5, LinkOnline, -71, 0, 0),
		at(3, LinkOnline, -71, 4_000, 250_000), at(3.5, LinkOnline, -69, 8_000, 375_000), at(5, LinkGone, 0, 8_000, 375_000),
		at(6, LinkOnline, -53, 8_000, 375_000), at(8, LinkOnline, -53, 9_000, 376_000),
	}}
}

func TestTimelineMergesWhatIsAlike(t *testing.T) {
	var got Timeline
	for _, s := range []Sample{at(1, LinkOnline, -71, 0, 0), at(2, LinkOnline, -71, 0, 0), at(3, LinkOnline, -71, 0, 0), at(4, LinkOnline, -71, 0, 0), at(5, LinkGone, 0, 0, 0)} {
		got.Add(s)
	}
	want := []Sample{at(1, LinkOnline, -71, 0, 0), at(4, LinkOnline, -71, 0, 0), at(5, LinkGone, 0, 0, 0)}
	if diff := cmp.Diff(want, got.Samples); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// However long a story takes, its timeline is bounded, and no change of the link is lost.
func TestTimelineIsBounded(t *testing.T) {
	var got Timeline
	for i := range 10_000 {
		link := LinkOnline
		if i == 4321 {
			link = LinkGone
		}
		got.Add(at(float64(i)/10, link, -71, int64(i), int64(2*i)))
	}
	if n := len(got.Samples); n > maxSamples {
		t.Errorf("%d samples are kept", n)
	}
	var links []LinkState
	for _, s := range got.spans() {
		links = append(links, s.link)
	}
	if diff := cmp.Diff([]LinkState{LinkOnline, LinkGone, LinkOnline}, links); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if last := got.Samples[len(got.Samples)-1]; last.Down != 2*9999 {
		t.Errorf("the last sample is %+v", last)
	}
}

func TestTimelineWords(t *testing.T) {
	const want = "Over 8.0 s: link booting from 0.5 s, not registered from 1.0 s, registered from 2.0 s, online from 2.5 s, no modem from 5.0 s, " +
		"online from 6.0 s; signal -97…-53 dBm; at most 4.0 Mbit/s to the device, 64 kbit/s from it"
	if got := sampleTimeline().words(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := (&Timeline{}).words(); got == "" {
		t.Error("an empty timeline has no words")
	}
}

// However near two samples are by chance, a rate is that of a step, and every byte is in one.
func TestTimelineRates(t *testing.T) {
	l := &Timeline{Samples: []Sample{at(1, LinkOnline, -71, 0, 0), at(4, LinkOnline, -71, 0, 0), at(4.001, LinkOnline, -71, 0, 10_000), at(9, LinkOnline, -71, 0, 10_000)}}
	rates, peak := l.rates(bytesDown)
	if want := 8 * 10_000 / 0.1; peak < 0.99*want || peak > 1.01*want { // 8 s in 80 steps
		t.Errorf("at most %.0f bit/s, want %.0f", peak, want)
	}
	bits := 0.0
	for _, rate := range rates {
		bits += rate * 0.1
	}
	if bits < 79_999 || bits > 80_001 {
		t.Errorf("%.0f bits in all steps, want 80000", bits)
	}
	if rates, peak := (&Timeline{Samples: l.Samples[:1]}).rates(bytesDown); rates != nil || peak != 0 {
		t.Errorf("one sample has the rates %v", rates)
	}
}
