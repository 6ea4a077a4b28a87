package report

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// Geometry of a ladder in SVG units, which are CSS pixels at its natural size.
const (
	ladderWidth = 760
	ladderLeft  = 110 // lifelines
	ladderRight = 650
	ladderTop   = 54
	ladderRow   = 26
)

// ladderStyle is in each drawing, so that one stands alone too. Colours follow the page's scheme.
const ladderStyle = `<style>
.ladder{--lane:#b9c4cf;--ink:#14202b;--soft:#5b6875;--tcp:#6b7785;--tls:#7a4bc2;--data:#1769aa;--hello:#0b7a75;--alert:#b45309;--reset:#c4314b;--box:#eef2f6;font:12px ui-sans-serif,system-ui,sans-serif}
@media (prefers-color-scheme:dark){.ladder{--lane:#3a4855;--ink:#e6edf3;--soft:#93a1af;--tcp:#93a1af;--tls:#b794f6;--data:#63b3ed;--hello:#4fd1c5;--alert:#f6ad55;--reset:#ff6b81;--box:#1f2a34}}
.ladder text{fill:var(--ink)}.ladder .soft{fill:var(--soft);font-variant-numeric:tabular-nums}.ladder .lane{stroke:var(--lane);stroke-width:1.5}.ladder .box{fill:var(--box);stroke:var(--lane)}
.ladder .who{font-weight:600;text-anchor:middle}.ladder .mid{text-anchor:middle}.ladder .end{text-anchor:end}.ladder .a{fill:none;stroke-width:1.6}
.ladder .tcp{--c:var(--tcp)}.ladder .tls{--c:var(--tls)}.ladder .data{--c:var(--data)}.ladder .hello{--c:var(--hello)}.ladder .alert{--c:var(--alert)}.ladder .reset{--c:var(--reset)}
.ladder .a,.ladder .h{stroke:var(--c)}.ladder .h{fill:var(--c);stroke:none}.ladder g text.l{fill:var(--c);font-weight:500}
</style>`

// WriteSVG draws the ladder as one svg element that stands in HTML or alone.
func (l *Ladder) WriteSVG(w io.Writer) error {
	rows := len(l.Arrows)
	if l.Elided > 0 {
		rows++
	}
	if l.Note != "" {
		rows++
	}
	height := ladderTop + ladderRow*rows + 18
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="ladder" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`,
		ladderWidth, height, ladderWidth, height, escape(fmt.Sprintf("Messages between %s and %s", l.Left, l.Right)))
	b.WriteString(ladderStyle)
	for _, side := range []struct {
		x    int
		name string
	}{{ladderLeft, l.Left}, {ladderRight, l.Right}} {
		fmt.Fprintf(&b, `<rect class="box" x="%d" y="6" width="150" height="26" rx="6"/><text class="who" x="%d" y="23">%s</text>`, side.x-75, side.x, escape(clip(side.name, 20)))
		fmt.Fprintf(&b, `<line class="lane" x1="%d" y1="32" x2="%d" y2="%d"/>`, side.x, side.x, height-8)
	}
	y := ladderTop
	middle := func(text string) {
		fmt.Fprintf(&b, `<text class="soft mid" x="%d" y="%d">%s</text>`, (ladderLeft+ladderRight)/2, y+4, escape(text))
		y += ladderRow
	}
	for i, a := range l.Arrows {
		if l.Elided > 0 && i == l.ElidedAfter {
			middle(fmt.Sprintf("… %d messages left out …", l.Elided))
		}
		a.writeSVG(&b, y)
		y += ladderRow
	}
	if l.Note != "" {
		middle(clip(l.Note, 90))
	}
	b.WriteString("</svg>")
	_, err := io.WriteString(w, b.String())
	return err
}

func (a Arrow) writeSVG(b *strings.Builder, y int) {
	from, to, tip := ladderLeft, ladderRight, -8
	if !a.ToRight {
		from, to, tip = ladderRight, ladderLeft, 8
	}
	fmt.Fprintf(b, `<g class="%s"><path class="a" d="M%d %dH%d"/><path class="h" d="M%d %dl%d -4v8z"/>`, a.class(), from, y, to+tip, to, y, tip)
	fmt.Fprintf(b, `<text class="l mid" x="%d" y="%d">%s</text>`, (ladderLeft+ladderRight)/2, y-5, escape(a.text()))
	fmt.Fprintf(b, `<text class="soft end" x="%d" y="%d">%s s</text>`, ladderLeft-12, y+4, formatAt(a.At))
	if a.Bytes > 0 {
		fmt.Fprintf(b, `<text class="soft" x="%d" y="%d">%s</text>`, ladderRight+12, y+4, formatBytes(a.Bytes))
	}
	b.WriteString("</g>")
}

// class is one of our own words: a Kind may come from a file.
func (a Arrow) class() Kind {
	switch a.Kind {
	case KindTCP, KindReset, KindTLS, KindAlert, KindHello:
		return a.Kind
	}
	return KindData
}

// escape makes text fit for SVG, also as XML of its own, which knows no control characters.
func escape(s string) string { return html.EscapeString(OneLine(s)) }
