package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minato/testbench"
	"minato/testbench/env"
	"minato/testbench/report"
)

// look is what a browser saw of the report in one colour scheme and size.
type look struct {
	Look       string                                `json:"look"`
	Background string                                `json:"background"` // of the body, as computed
	Number     map[string]int                        `json:"number"`     // of visible parts, by CSS selector
	Overflow   int                                   `json:"overflow"`   // pixels that the page is wider than its window
	Path       struct{ X, Y, Width, Height float64 } `json:"path"`       // where the picture of the path is
	File       string                                `json:"file"`       // the screenshot
	Requests   []string                              `json:"requests"`
	Complaints []string                              `json:"complaints"`
	Violations []string                              `json:"violations"`
}

// TestReport opens the report of real scenarios from disk, in Chromium without a network: light, dark, and on a telephone.
func TestReport(t *testing.T) {
	root, err := env.Root()
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(root, "relay", "console")
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "playwright-core", "package.json")); err != nil {
		need(t, &env.MissingError{Program: "playwright-core", Cure: "make console"})
	}
	node, err := env.Tool("node", "nodejs")
	need(t, err)
	chromium, err := env.Tool("chromium", "chromium")
	need(t, err)
	out := filepath.Join(root, "out", "report-test")
	file := writeReport(t, out)

	setting, err := json.Marshal(map[string]string{"report": file, "out": out, "chromium": chromium, "modules": modules})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("not within %s", patience))
	defer cancel()
	cmd := exec.CommandContext(ctx, node, filepath.Join(root, "testbench", "browser", "report.mjs"))
	cmd.Env = append(os.Environ(), "REPORT_TEST="+string(setting))
	cmd.Stderr = t.Output()
	cmd.WaitDelay = 10 * time.Second
	lines, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v (%v)", err, context.Cause(ctx))
	}
	seen := 0
	for in := bufio.NewScanner(bytes.NewReader(lines)); in.Scan(); seen++ {
		var l look
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			t.Fatalf("%v: %q", err, in.Text())
		}
		t.Run(l.Look, func(t *testing.T) { l.judge(t, file) })
	}
	if seen != 3 {
		t.Errorf("%d looks, wanted 3", seen)
	}
}

// writeReport runs scenarios that have everything which a report shows, and adds one that failed and one that was skipped.
func writeReport(t *testing.T, dir string) (file string) {
	t.Helper()
	tb, err := testbench.New(testbench.Config{Dir: dir, Scenarios: []string{"http-tls@userspace", "vnc-tls@userspace", "http-tls-refused", "ppp-terminated"}})
	if err != nil {
		t.Fatal(err)
	}
	run, err := tb.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range run.Results {
		if r.Status != report.Pass {
			t.Fatalf("%s: %s", r.Name, r.Err)
		}
	}
	run.Results = append(run.Results,
		report.Result{Name: "made-to-fail", Doc: "What a failure looks like.", Status: report.Fail, Duration: time.Second, Hops: []report.Hop{report.HopRelay},
			Err: "the relay sent 8 bytes to a client that it refuses", Hint: "run it alone", Log: run.Results[0].Log},
		report.Result{Name: "made-to-skip", Doc: "What a skipped scenario looks like.", Status: report.Skip, Err: "qemu-arm is not installed", Hint: "apt install qemu-user-static"})
	if err := report.WriteAll(dir, run); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "index.html")
}

// judge holds a look to what everybody must see.
func (l look) judge(t *testing.T, file string) {
	own := (&url.URL{Scheme: "file", Path: file}).String()
	for _, request := range l.Requests {
		if request != own {
			t.Errorf("the report asks for %s", request)
		}
	}
	for _, c := range append(l.Complaints, l.Violations...) {
		t.Error(c)
	}
	if l.Overflow > 0 {
		t.Errorf("the page is %d pixels wider than its window", l.Overflow)
	}
	if len(l.Number) == 0 {
		t.Error("no part was looked for")
	}
	for part, n := range l.Number {
		if n == 0 {
			t.Errorf("no %s can be seen", part)
		}
	}
	screen, err := readPNG(l.File)
	if err != nil {
		t.Fatal(err)
	}
	margin := color.NRGBAModel.Convert(screen.At(2, screen.Bounds().Dy()-8)).(color.NRGBA) // below and beside everything
	if computed := fmt.Sprintf("rgb(%d, %d, %d)", margin.R, margin.G, margin.B); computed != l.Background {
		t.Errorf("the margin is %s, and the page's background %s", computed, l.Background)
	}
	brightness := (int(margin.R) + int(margin.G) + int(margin.B)) / 3
	if isLight := brightness > 200; isLight != (l.Look == "light") || !isLight && brightness > 60 {
		t.Errorf("the margin is %d bright of 255", brightness)
	}
	if n := colours(screen, image.Rect(int(l.Path.X), int(l.Path.Y), int(l.Path.X+l.Path.Width), int(l.Path.Y+l.Path.Height))); n < 5 {
		t.Errorf("the picture of the path has %d colours", n)
	}
	if width := screen.Bounds().Dx(); strings.HasPrefix(l.Look, "phone") && width != 375 {
		t.Errorf("the screenshot is %d pixels wide, wanted the telephone's 375", width)
	}
}

func readPNG(file string) (image.Image, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return png.Decode(f)
}

// colours counts the colours in an area, as far as it is in the picture.
func colours(m image.Image, area image.Rectangle) int {
	seen := make(map[color.Color]bool)
	area = area.Intersect(m.Bounds())
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			seen[m.At(x, y)] = true
		}
	}
	return len(seen)
}
