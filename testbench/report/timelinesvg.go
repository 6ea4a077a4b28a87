package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Geometry of a timeline in SVG units, which are CSS pixels at its natural size.
const (
	timeLeft, timeRight = 100, 664 // of the time axis
	linkTop, linkBottom = 10, 32
	signalTop           = 48 // as strong as a radio reports, -51 dBm
	signalBottom        = 84 // as weak, -113 dBm
	rateTop, rateBase   = 104, 150
	rateBottom          = 172 // up is drawn downwards from the base
	timeHeight          = 200
)

// Ends of the signal's scale, which are those of +CSQ.
const strongest, weakest = -51, -113

// timelineStyle is in each drawing, so that one stands alone too. Colours follow the page's scheme.
const timelineStyle = `<style>
.timeline{--lane:#b9c4cf;--ink:#14202b;--soft:#566370;--on:#157347;--mid:#8a5a00;--off:#bd2c46;--on-bg:#cfeedc;--mid-bg:#f8e6b8;--off-bg:#fad3da;--signal:#7a4bc2;--down:#1769aa;--up:#0b7a75;font:12px ui-sans-serif,system-ui,sans-serif}
@media (prefers-color-scheme:dark){.timeline{--lane:#3a4855;--ink:#e6edf3;--soft:#94a3b1;--on:#4cc38a;--mid:#e3b341;--off:#ff7088;--on-bg:#12301f;--mid-bg:#33280c;--off-bg:#3a161f;--signal:#b794f6;--down:#63b3ed;--up:#4fd1c5}}
.timeline text{fill:var(--ink)}.timeline .soft{fill:var(--soft);font-variant-numeric:tabular-nums}.timeline .end{text-anchor:end}.timeline .mid{text-anchor:middle}.timeline .lane{stroke:var(--lane);stroke-width:1;fill:none}
.timeline .on{fill:var(--on-bg)}.timeline .half{fill:var(--mid-bg)}.timeline .off{fill:var(--off-bg)}.timeline text.on{fill:var(--on)}.timeline text.half{fill:var(--mid)}.timeline text.off{fill:var(--off)}
.timeline .signal{fill:none;stroke:var(--signal);stroke-width:1.6}.timeline .down{fill:var(--down)}.timeline .up{fill:var(--up)}.timeline text.l{font-weight:500}.timeline text.s{fill:var(--signal)}
</style>`

// span is a time in one state of the link.
type span struct {
	from, to time.Duration
	link     LinkState
}

func (t *Timeline) spans() []span {
	var spans []span
	for i, s := range t.Samples {
		if n := len(spans); n > 0 {
			spans[n-1].to = s.At
		}
		if i == 0 || s.Link != t.Samples[i-1].Link {
			spans = append(spans, span{s.At, s.At, s.Link})
		}
	}
	return spans
}

func (s LinkState) class() string {
	switch s {
	case LinkOnline:
		return "on"
	case LinkRegistered, LinkSearching, LinkBooting:
		return "half"
	}
	return "off"
}

// WriteSVG draws the timeline as one svg element that stands in HTML or alone.
func (t *Timeline) WriteSVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="timeline" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`,
		ladderWidth, timeHeight, ladderWidth, timeHeight, escape(t.words()))
	b.WriteString(timelineStyle)
	t.writeLink(&b)
	t.writeSignal(&b)
	t.writeRates(&b)
	t.writeAxis(&b)
	b.WriteString("</svg>")
	_, err := io.WriteString(w, b.String())
	return err
}

// x is where a moment is drawn.
func (t *Timeline) x(at time.Duration) float64 {
	return timeLeft + float64(timeRight-timeLeft)*float64(at)/float64(max(t.length(), 1))
}

func (t *Timeline) writeLink(b *strings.Builder) {
	fmt.Fprintf(b, `<text class="soft end" x="%d" y="%d">link</text>`, timeLeft-12, linkBottom-7)
	for _, s := range t.spans() {
		x, width := t.x(s.from), max(t.x(s.to)-t.x(s.from), 1)
		fmt.Fprintf(b, `<g><rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d"/><title>%s, %s to %s s</title>`,
			s.link.class(), x, linkTop, width, linkBottom-linkTop, escape(string(s.link)), formatAt(s.from), formatAt(s.to))
		const perLetter = 7
		if float64(perLetter*len(s.link)+8) <= width {
			fmt.Fprintf(b, `<text class="mid %s" x="%.1f" y="%d">%s</text>`, s.link.class(), x+width/2, linkBottom-7, escape(string(s.link)))
		}
		b.WriteString("</g>")
	}
}

func (t *Timeline) writeSignal(b *strings.Builder) {
	fmt.Fprintf(b, `<text class="soft end" x="%d" y="%d">signal</text><path class="lane" d="M%d %dH%d"/>`, timeLeft-12, (signalTop+signalBottom)/2+4, timeLeft, signalBottom, timeRight)
	var line strings.Builder
	pen := "M" // lifted where nothing is received
	for i, s := range t.Samples {
		if s.Signal == 0 {
			pen = "M"
			continue
		}
		y := signalTop + float64(signalBottom-signalTop)*float64(strongest-clamp(s.Signal))/float64(strongest-weakest)
		fmt.Fprintf(&line, "%s%.1f %.1f", pen, t.x(s.At), y)
		if pen = "L"; i+1 < len(t.Samples) {
			fmt.Fprintf(&line, "H%.1f", t.x(t.Samples[i+1].At)) // it holds until the next look
		}
	}
	if line.Len() > 0 {
		fmt.Fprintf(b, `<path class="signal" d="%s"/>`, line.String())
	}
	fmt.Fprintf(b, `<text class="l s" x="%d" y="%d">%s</text>`, timeRight+8, (signalTop+signalBottom)/2+4, escape(t.signalWords()))
}

func clamp(dBm int) int { return min(max(dBm, weakest), strongest) }

// writeRates draws the bits a second: to the device upwards from the base, from it downwards, each to its own scale.
func (t *Timeline) writeRates(b *strings.Builder) {
	fmt.Fprintf(b, `<text class="soft end" x="%d" y="%d">to device</text><text class="soft end" x="%d" y="%d">from it</text><path class="lane" d="M%d %dH%d"/>`,
		timeLeft-12, (rateTop+rateBase)/2+4, timeLeft-12, rateBottom-6, timeLeft, rateBase, timeRight)
	for _, way := range []struct {
		class string
		bytes func(Sample) int64
		end   float64 // y of the peak
		label int
	}{{"down", bytesDown, rateTop, (rateTop+rateBase)/2 + 4}, {"up", bytesUp, rateBottom, rateBottom - 6}} {
		rates, peak := t.rates(way.bytes)
		if peak == 0 {
			continue
		}
		fmt.Fprintf(b, `<path class="%s" d="M%.1f %d`, way.class, t.x(t.Samples[0].At), rateBase)
		from := t.x(t.Samples[0].At)
		for i, rate := range rates {
			fmt.Fprintf(b, "V%.1fH%.1f", rateBase+(way.end-rateBase)*rate/peak, from+(timeRight-from)*float64(i+1)/rateSteps)
		}
		fmt.Fprintf(b, `V%dZ"/><text class="l %s" x="%d" y="%d">%s</text>`, rateBase, way.class, timeRight+8, way.label, formatRate(peak))
	}
}

func (t *Timeline) writeAxis(b *strings.Builder) {
	digits := 1
	if t.length() < 4*time.Second {
		digits = 2
	}
	for i := range 5 {
		at := t.length() * time.Duration(i) / 4
		fmt.Fprintf(b, `<path class="lane" d="M%.1f %dv4"/><text class="soft mid" x="%.1f" y="%d">%.*f s</text>`, t.x(at), rateBottom, t.x(at), timeHeight-8, digits, at.Seconds())
	}
}

// signalWords are the range of the signal.
func (t *Timeline) signalWords() string {
	var seen []int
	for _, s := range t.Samples {
		if s.Signal != 0 {
			seen = append(seen, s.Signal)
		}
	}
	if len(seen) == 0 {
		return "none"
	}
	low, high := slices.Min(seen), slices.Max(seen)
	if low == high {
		return fmt.Sprintf("%d dBm", low)
	}
	return fmt.Sprintf("%d…%d dBm", low, high)
}

// words say the drawing for those who do not see it.
func (t *Timeline) words() string {
	var states []string
	for _, s := range t.spans() {
		states = append(states, fmt.Sprintf("%s from %.1f s", s.link, s.from.Seconds()))
	}
	_, down := t.rates(bytesDown)
	_, up := t.rates(bytesUp)
	const most = 12
	if len(states) > most {
		states = append(states[:most], "and so on")
	}
	return fmt.Sprintf("Over %.1f s: link %s; signal %s; at most %s to the device, %s from it",
		t.length().Seconds(), strings.Join(states, ", "), t.signalWords(), formatRate(down), formatRate(up))
}

func formatRate(bits float64) string {
	switch {
	case bits >= 1e9:
		return fmt.Sprintf("%.1f Gbit/s", bits/1e9)
	case bits >= 1e6:
		return fmt.Sprintf("%.1f Mbit/s", bits/1e6)
	case bits >= 1e3:
		return fmt.Sprintf("%.0f kbit/s", bits/1e3)
	}
	return fmt.Sprintf("%.0f bit/s", bits)
}
