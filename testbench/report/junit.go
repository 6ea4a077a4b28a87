package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// The elements that CI systems agree on: testsuites, testsuite, testcase with failure or skipped, and system-out.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		Class     string        `xml:"classname,attr"`
		Time      string        `xml:"time,attr"`
		Failure   *junitMessage `xml:"failure"`
		Skipped   *junitMessage `xml:"skipped"`
		SystemOut string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the run for a CI system.
func WriteJUnit(w io.Writer, run Run) error {
	run = run.withDefaults()
	c := run.Counts()
	suite := junitSuite{
		Name: run.Title, Tests: c.Total(), Failures: c.Fail, Skipped: c.Skip, Time: junitTime(run.Duration),
		Timestamp: run.Started.UTC().Format("2006-01-02T15:04:05"), // JUnit's schema has no zone
	}
	for _, f := range run.facts() {
		suite.Properties = append(suite.Properties, junitProperty{strings.ToLower(f.Name), f.Value})
	}
	for _, r := range run.Results {
		tc := junitCase{Name: r.Name, Class: "minato.testbench", Time: junitTime(r.Duration), SystemOut: junitOut(r)}
		message := &junitMessage{Message: r.Err, Text: r.Hint}
		switch r.Status {
		case Pass:
		case Skip:
			tc.Skipped = message
		default:
			tc.Failure = message
		}
		suite.Cases = append(suite.Cases, tc)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	suites := junitSuites{Name: run.Title, Tests: c.Total(), Failures: c.Fail, Skipped: c.Skip, Time: suite.Time, Suites: []junitSuite{suite}}
	if err := e.Encode(suites); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitTime(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// junitOut is the log, and the files in the form that some CI systems turn into links.
func junitOut(r Result) string {
	var b strings.Builder
	for _, line := range r.Log {
		fmt.Fprintf(&b, "%9s %-5s %s\n", formatAt(line.At), line.level(), line.Text)
	}
	for _, a := range r.Artifacts {
		fmt.Fprintf(&b, "[[ATTACHMENT|%s]]\n", a.Path)
	}
	return b.String()
}
