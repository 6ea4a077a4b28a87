package field

import (
	"fmt"
	"io"
	"strings"

	"minato/testbench/report"
)

// screenWidth is what every terminal has room for, less a margin.
const screenWidth = 96

var words = map[report.Status]string{report.Pass: "ok", report.Fail: "FAIL", report.Skip: "-"}

// WriteRow writes one result as the screen shows it; Config.Progress may show them as they come.
func WriteRow(w io.Writer, r report.Result) {
	text := r.Doc
	switch {
	case r.Status == report.Skip:
		text = r.Err
	case r.Code != "":
		text = r.Code + " " + r.Err
	case r.Err != "":
		text = r.Err
	}
	const indent = 5 + 2 + 13
	head := fmt.Sprintf("%-5s  %-12s ", words[r.Status], r.Name)
	for i, line := range wrap(text, screenWidth-indent) {
		if i > 0 {
			head = strings.Repeat(" ", indent)
		}
		fmt.Fprintln(w, strings.TrimRight(head+line, " "))
	}
	if r.Status != report.Fail || r.Hint == "" {
		return
	}
	head = strings.Repeat(" ", indent) + "-> "
	for _, line := range wrap(r.Hint, screenWidth-indent-3) {
		fmt.Fprintln(w, head+line)
		head = strings.Repeat(" ", indent+3)
	}
}

// WriteSummary writes the last lines of the screen: what works, what does not, with the codes that the head office wants to hear.
func WriteSummary(w io.Writer, run report.Run) {
	var works, fails []string
	for _, r := range run.Results {
		switch {
		case r.Status == report.Pass:
			works = append(works, r.Name)
		case r.Status == report.Fail && r.Code != "":
			fails = append(fails, r.Name+" ("+r.Code+")")
		case r.Status == report.Fail:
			fails = append(fails, r.Name)
		}
	}
	fmt.Fprintln(w)
	for _, list := range []struct {
		head  string
		names []string
	}{{"Works:          ", works}, {"Does not work:  ", fails}} {
		if len(list.names) == 0 {
			continue
		}
		for i, line := range wrap(strings.Join(list.names, ", "), screenWidth-len(list.head)) {
			if i > 0 {
				list.head = strings.Repeat(" ", len(list.head))
			}
			fmt.Fprintln(w, list.head+line)
		}
	}
}

// wrap breaks text into lines of at most width letters where there are blanks. Control characters from outside do not reach the terminal.
func wrap(text string, width int) []string {
	text = report.OneLine(text)
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
