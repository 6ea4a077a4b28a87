package report

import (
	"fmt"
	"slices"
	"strings"
)

// hopView is one part of the path as it is drawn.
type hopView struct {
	hop    Hop
	title  string
	detail string
	icon   string // path data in a box of 24 x 24, stroked
}

// hopViews are the path in order, from the client to the device.
var hopViews = []hopView{
	{HopClient, "Client", "technician's PC", "M4 5h16v11H4zM2 20h20M9 20v-4M15 20v-4"},
	{HopRelay, "Relay", "public address", "M12 2a2 2 0 1 0 .01 0M12 6v15M7 10h10M4 14c0 4 4 7 8 7s8-3 8-7M4 14l-2 2M20 14l2 2"},
	{HopNetwork, "Closed network", "LTE core", "M7 18a4.5 4.5 0 0 1-.5-9 6 6 0 0 1 11.4 1A4 4 0 0 1 18 18z"},
	{HopModem, "Modem", "PPP over serial", "M12 13v8M8 21h8M12 9a2 2 0 1 0 .01 0M7.5 15a6 6 0 0 1 0-8.5M16.5 15a6 6 0 0 0 0-8.5M4.7 17.8a10 10 0 0 1 0-14.1M19.3 17.8a10 10 0 0 0 0-14.1"},
	{HopDevice, "Device", "Raspberry Pi", "M6 6h12v12H6zM10 10h4v4h-4zM9 2v4M15 2v4M9 18v4M15 18v4M2 9h4M2 15h4M18 9h4M18 15h4"},
}

// linkNames stand on the lines between the parts.
var linkNames = []string{"TLS", "TCP", "LTE", "IP"}

// states of the hops: a failure that names a hop marks it, everything else that ran proves all that it speaks of.
func (r Run) states() map[Hop]Status {
	states := make(map[Hop]Status)
	for _, result := range r.Results {
		for _, v := range hopViews {
			named := slices.Contains(result.Hops, v.hop)
			switch {
			case result.Status == Skip:
			case result.Status != Pass && named:
				states[v.hop] = Fail
			case result.Status == Pass && (named || len(result.Hops) == 0) && states[v.hop] == "":
				states[v.hop] = Pass
			}
		}
	}
	return states
}

// pathSVG draws the path with its state.
func (r Run) pathSVG() string {
	const width, gap, top = 152, 60, 10
	states := r.states()
	pathFailed := slices.ContainsFunc(r.Results, func(x Result) bool { return x.Status != Pass && x.Status != Skip && len(x.Hops) == 0 })
	class := func(hop Hop) string {
		switch states[hop] {
		case Pass:
			return "ok"
		case Fail:
			return "bad"
		}
		return "idle"
	}
	var b strings.Builder
	total := len(hopViews)*width + (len(hopViews)-1)*gap
	fmt.Fprintf(&b, `<svg class="path" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d 124" role="img" aria-label="%s">`, total+4, escape(r.pathWords(states)))
	for i, v := range hopViews {
		x := 2 + i*(width+gap)
		if i > 0 {
			link := "ok"
			before, after := class(hopViews[i-1].hop), class(v.hop)
			switch {
			case pathFailed || before == "bad" || after == "bad":
				link = "bad"
			case before == "idle" || after == "idle":
				link = "idle"
			}
			fmt.Fprintf(&b, `<g class="link %s"><path d="M%d 62h%d"/><text x="%d" y="52">%s</text></g>`, link, x-gap, gap, x-gap/2, linkNames[i-1])
		}
		fmt.Fprintf(&b, `<g class="hop %s" transform="translate(%d %d)"><rect width="%d" height="104" rx="12"/>`, class(v.hop), x, top, width)
		fmt.Fprintf(&b, `<path class="icon" transform="translate(%d 12) scale(1.25)" d="%s"/>`, width/2-15, v.icon)
		fmt.Fprintf(&b, `<text class="t" x="%d" y="68">%s</text><text class="d" x="%d" y="87">%s</text>`, width/2, v.title, width/2, v.detail)
		fmt.Fprintf(&b, `<circle cx="%d" cy="16" r="6"/></g>`, width-16)
	}
	b.WriteString("</svg>")
	return b.String()
}

// pathWords say the picture for those who do not see it.
func (r Run) pathWords(states map[Hop]Status) string {
	var parts []string
	for _, v := range hopViews {
		state := "not seen"
		switch states[v.hop] {
		case Pass:
			state = "works"
		case Fail:
			state = "fails"
		}
		parts = append(parts, v.title+" "+state)
	}
	return "The path: " + strings.Join(parts, ", ")
}
