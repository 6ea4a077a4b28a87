package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// pageView is what the page shows; the three trusted texts are ours, or escaped by what drew them.
type pageView struct {
	Run
	Counts   Counts
	Verdict  string
	Facts    []string
	Date     string
	Took     string
	Share    struct{ Pass, Fail, Skip string } // of the bar, in percent
	PathSVG  template.HTML
	CSS      template.CSS
	JS       template.JS
	Sections []sectionView
}

type sectionView struct {
	Result
	ID     string
	State  Status // one of the three
	Took   string
	Say    string
	Open   bool
	Lines  []lineView
	Links  []linkView
	Times  template.HTML // the timeline
	Drawn  template.HTML // the ladder
	Search string
}

type lineView struct{ At, Level, Text string }

type linkView struct{ Name, URL string }

// WriteHTML writes the run as one page that needs no network and no other file.
func WriteHTML(w io.Writer, run Run) error {
	run = run.withDefaults()
	c := run.Counts()
	v := pageView{
		Run: run, Counts: c, Verdict: run.verdict(c), Date: run.Started.Format("2006-01-02 15:04:05 MST"), Took: formatDuration(run.Duration),
		PathSVG: template.HTML(run.pathSVG()), CSS: template.CSS(pageCSS), JS: template.JS(pageJS),
	}
	for _, f := range run.facts() {
		if f.Name != "machine" { // which speaks for itself
			f.Value = f.Name + " " + f.Value
		}
		v.Facts = append(v.Facts, f.Value)
	}
	share := func(n int) string { return fmt.Sprintf("%.3f", 100*float64(n)/float64(max(c.Total(), 1))) }
	v.Share.Pass, v.Share.Fail, v.Share.Skip = share(c.Pass), share(c.Fail), share(c.Skip)
	for i, r := range run.Results {
		s, err := section(i, r)
		if err != nil {
			return err
		}
		v.Sections = append(v.Sections, s)
	}
	return pageTemplate.Execute(w, v)
}

func (r Run) verdict(c Counts) string {
	switch {
	case c.Fail == 1:
		return "1 " + r.Kind + " failed"
	case c.Fail > 1:
		return fmt.Sprintf("%d %ss failed", c.Fail, r.Kind)
	case r.interrupted():
		return "Interrupted before its end"
	case c.Pass == 0:
		return "Nothing was proved"
	}
	return "The whole path works"
}

func section(i int, r Result) (sectionView, error) {
	s := sectionView{Result: r, ID: fmt.Sprintf("s%d", i+1), State: r.Status, Took: formatDuration(r.Duration), Say: OneLine(r.sentence()),
		Search: strings.ToLower(r.Name + " " + r.Doc + " " + r.Err)}
	if r.Status != Pass && r.Status != Skip {
		s.State, s.Open = Fail, true
	}
	for _, line := range r.Log {
		s.Lines = append(s.Lines, lineView{formatAt(line.At), line.level(), line.Text})
	}
	for _, a := range r.Artifacts {
		s.Links = append(s.Links, linkView{a.Name, relativeURL(a.Path)})
	}
	if r.Timeline != nil && len(r.Timeline.Samples) > 1 {
		var b strings.Builder
		if err := r.Timeline.WriteSVG(&b); err != nil {
			return s, err
		}
		s.Times = template.HTML(b.String())
	}
	if r.Ladder != nil {
		var b strings.Builder
		if err := r.Ladder.WriteSVG(&b); err != nil {
			return s, err
		}
		s.Drawn = template.HTML(b.String())
	}
	return s, nil
}

// relativeURL keeps a path a path: one such as "javascript:x" must not become a scheme, nor "//host" a host.
func relativeURL(path string) string {
	return "./" + (&url.URL{Path: strings.TrimLeft(path, "/")}).EscapedPath()
}
