package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGolden(t *testing.T) {
	run := sample(t)
	ladder := func(write func(*Ladder, io.Writer) error) func(io.Writer, Run) error {
		return func(w io.Writer, run Run) error { return write(run.Results[0].Ladder, w) }
	}
	for name, write := range map[string]func(io.Writer, Run) error{
		"report.json":  WriteJSON,
		"junit.xml":    WriteJUnit,
		"index.html":   WriteHTML,
		"table.txt":    WriteTable,
		"path.svg":     func(w io.Writer, run Run) error { _, err := io.WriteString(w, run.pathSVG()); return err },
		"ladder.svg":   ladder((*Ladder).WriteSVG),
		"ladder.txt":   ladder((*Ladder).WriteText),
		"timeline.svg": func(w io.Writer, run Run) error { return run.Results[0].Timeline.WriteSVG(w) },
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got, run); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got), -update writes it anew:\n%s", diff)
			}
		})
	}
}

func TestJSONRoundTrip(t *testing.T) {
	run := sample(t).withDefaults()
	var buf bytes.Buffer
	if err := WriteJSON(&buf, run); err != nil {
		t.Fatal(err)
	}
	var got Run
	if err := json.Unmarshal(buf.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Text from a scenario must stay text: nothing of it may become an element, an attribute or a link that leaves the report.
func TestHTMLEscapes(t *testing.T) {
	var buf bytes.Buffer
	if err := WriteHTML(&buf, sample(t)); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&buf)
	if err != nil {
		t.Fatal(err)
	}
	scripts, svgs := 0, 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script":
			scripts++
		case "svg":
			svgs++
		case "img", "b", "iframe":
			if n.Data != "b" || n.FirstChild != nil && strings.Contains(n.FirstChild.Data, "evil") {
				t.Errorf("an element %s came out of text", n.Data)
			}
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("attribute %s on %s", a.Key, n.Data)
			}
			if (a.Key == "href" || a.Key == "src") && !strings.HasPrefix(a.Val, "./") && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("link %q leaves the report", a.Val)
			}
		}
	}
	if scripts != 1 {
		t.Errorf("%d scripts, want 1", scripts)
	}
	if svgs != 6 { // title, bar, path, two ladders, a timeline
		t.Errorf("%d drawings, want 6", svgs)
	}
}

// The page is one file: no address of any network stands in it.
func TestHTMLSelfContained(t *testing.T) {
	for _, text := range []string{pageHTML, pageCSS, pageJS, ladderStyle, timelineStyle} {
		if found := regexp.MustCompile(`https?://[^"']*|@import|url\(`).FindString(text); found != "" {
			t.Errorf("%q in the page", found)
		}
	}
}

func TestSVGIsXML(t *testing.T) {
	run := sample(t)
	var drawings []string
	for _, r := range run.Results {
		if r.Ladder != nil {
			var b strings.Builder
			if err := r.Ladder.WriteSVG(&b); err != nil {
				t.Fatal(err)
			}
			drawings = append(drawings, b.String())
		}
		if r.Timeline != nil {
			var b strings.Builder
			if err := r.Timeline.WriteSVG(&b); err != nil {
				t.Fatal(err)
			}
			drawings = append(drawings, b.String())
		}
	}
	for _, svg := range append(drawings, run.pathSVG()) {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
		}
	}
}

func TestStates(t *testing.T) {
	tests := []struct {
		name    string
		results []Result
		want    map[Hop]Status
	}{
		{"nothing ran", nil, map[Hop]Status{}},
		{"skipped proves nothing", []Result{{Status: Skip}}, map[Hop]Status{}},
		{"one that names no part proves all", []Result{{Status: Pass}}, map[Hop]Status{HopClient: Pass, HopRelay: Pass, HopNetwork: Pass, HopModem: Pass, HopDevice: Pass}},
		{"a failure stays", []Result{{Status: Fail, Hops: []Hop{HopModem}}, {Status: Pass, Hops: []Hop{HopModem, HopDevice}}}, map[Hop]Status{HopModem: Fail, HopDevice: Pass}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Run{Results: tt.results}.states()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	passed, failed, ended := Result{Status: Pass}, Result{Status: Fail, Err: "x"}, Result{Status: Skip, Err: Interrupted}
	for want, results := range map[string][]Result{
		"The whole path works":       {passed, {Status: Skip, Err: "qemu-arm is not installed"}},
		"1 scenario failed":          {passed, failed, ended},
		"Interrupted before its end": {passed, ended},
		"Nothing was proved":         nil,
	} {
		run := Run{Results: results}.withDefaults()
		if got := run.verdict(run.Counts()); got != want {
			t.Errorf("%v: %q, want %q", results, got, want)
		}
	}
}

func TestWriteAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out", "report")
	for range 2 { // the second time over the first
		if err := WriteAll(dir, sample(t)); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"index.html", "junit.xml", "report.json"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTerminal(t *testing.T) {
	run := sample(t)
	var piped, live bytes.Buffer
	for _, tt := range []struct {
		w    *bytes.Buffer
		live bool
	}{{&piped, false}, {&live, true}} {
		var names []string
		for _, r := range run.Results {
			names = append(names, r.Name)
		}
		term := newTerminal(tt.w, names, tt.live)
		for _, r := range run.Results {
			term.Begin(r.Name)
			term.Done(r)
		}
		term.Close(run)
		term.Close(run)
	}
	var table bytes.Buffer
	if err := WriteTable(&table, run); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(table.String(), piped.String()); diff != "" {
		t.Errorf("a pipe gets another table (-table +pipe):\n%s", diff)
	}
	if !strings.Contains(live.String(), "\x1b[2mrunning http-tls ") {
		t.Errorf("no live line in %q", live.String())
	}
	plain := regexp.MustCompile("\x1b\\[[0-9;]*[mK]|\r").ReplaceAllString(live.String(), "")
	if strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' && r != '\n' }) {
		t.Errorf("control characters of a result reach the terminal: %q", plain)
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0 ms", 999 * time.Millisecond: "999 ms", 1500 * time.Millisecond: "1.5 s", 61 * time.Second: "1 m 01 s", 3*time.Hour + time.Second: "180 m 01 s"} {
		if got := formatDuration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
