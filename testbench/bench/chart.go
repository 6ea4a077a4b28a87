//go:build linux

package bench

import (
	"html/template"
	"io"
)

// Sizes of the chart in SVG's user units.
const (
	chartWidth  = 760
	labelWidth  = 90
	figureHead  = 34 // title of a figure
	barHeight   = 16
	barSpace    = 20
	chartMargin = 24
)

// chart draws a group of bars for each figure: shorter is better. It is one file with nothing outside it, and follows the reader's light or
// dark theme.
var chart = template.Must(template.New("chart").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} {{.Height}}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="The relay beside its peers">
<style>
svg{background:#fff;color:#1c2330} .bar{fill:#9fb0c3} .relay{fill:#0b7285} .note{fill:#66707f} text{fill:currentColor}
@media (prefers-color-scheme:dark){svg{background:#12161c;color:#e6eaf0} .bar{fill:#4a5a6d} .relay{fill:#3bc9db} .note{fill:#98a3b3}}
</style>
{{range .Figures}}<text x="{{$.Margin}}" y="{{.Y}}" font-weight="600">{{.Title}}</text>
<text x="{{$.Right}}" y="{{.Y}}" text-anchor="end" class="note">{{.Note}}</text>
{{range .Bars}}<text x="{{$.Margin}}" y="{{.TextY}}">{{.Peer}}</text><rect class="{{.Class}}" x="{{$.BarX}}" y="{{.Y}}" width="{{printf "%.1f" .Width}}" height="{{$.BarHeight}}" rx="2"/><text x="{{printf "%.1f" .ValueX}}" y="{{.TextY}}">{{printf "%.3g" .Value}}</text>
{{end}}{{end}}<text x="{{.Margin}}" y="{{.FootY}}" class="note">{{.Foot}}</text>
</svg>
`))

type chartBar struct {
	Peer, Class   string
	Y, TextY      int
	Width, ValueX float64
	Value         float64
}

type chartFigure struct {
	Title, Note string
	Y           int
	Bars        []chartBar
}

// WriteChart draws the medians as SVG.
func WriteChart(w io.Writer, r Result) error {
	const barX, widest = chartMargin + labelWidth, chartWidth - 2*chartMargin - labelWidth - 60
	var figures []chartFigure
	y := chartMargin
	for _, c := range r.Figures {
		f := chartFigure{Title: c.Name + ", " + c.Unit, Note: c.verdict(), Y: y + 12}
		most := 0.0
		for _, m := range c.Medians {
			most = max(most, m)
		}
		y += figureHead - barHeight
		for _, p := range allPeers {
			m, ok := c.Medians[p.name]
			if !ok {
				continue
			}
			class := "bar"
			if p.name == "relay" {
				class = "relay"
			}
			width := widest * max(0, m) / max(most, 1e-9)
			f.Bars = append(f.Bars, chartBar{p.name, class, y, y + 12, width, barX + width + 6, m})
			y += barSpace
		}
		figures = append(figures, f)
		y += chartMargin / 2
	}
	return chart.Execute(w, map[string]any{
		"Width": chartWidth, "Height": y + chartMargin + 8, "Margin": chartMargin, "Right": chartWidth - chartMargin, "BarX": barX,
		"BarHeight": barHeight, "Figures": figures, "FootY": y + 16, "Foot": r.Machine + ". Shorter is better.",
	})
}
