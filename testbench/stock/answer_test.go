package stock

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// answer is the kind of an answer to a command line: what must not change when the modem's state does.
type answer struct {
	Final string   // the final result code without its text, or the prompt for a text
	Info  []string // what stands before the colon of the information lines, sorted, each once; "text" for a line that has none
}

// prompt asks for the text of a message (TS 27.005 section 3.5.1).
const prompt = "> "

var finalResult = regexp.MustCompile(`^(?:OK|ERROR|\+CM[ES] ERROR: .*|CONNECT|NO CARRIER|BUSY|NO ANSWER|NO DIALTONE)`)

// parseAnswer finds the answer in what a modem sent after a command line. Final is "" while there is no end of it. Unsolicited
// results in between are left out: they carry no name that the command line has.
func parseAnswer(command, reply string) answer {
	var a answer
	reply = strings.TrimPrefix(reply, strings.TrimRight(command, "\r\n"))
	rest := reply
	for a.Final == "" {
		line, after, whole := strings.Cut(rest, "\r\n")
		if !whole {
			if line == prompt {
				a.Final = prompt
			}
			break
		}
		rest = after
		line = strings.TrimLeft(line, "\r")
		name, _, named := strings.Cut(line, ":")
		switch {
		case line == "":
		case finalResult.MatchString(line):
			a.Final = finalResult.FindString(line)
		case named && strings.HasPrefix(name, "+"):
			if strings.Contains(strings.ToUpper(command), name) {
				a.Info = append(a.Info, name)
			}
		default:
			a.Info = append(a.Info, "text")
		}
	}
	slices.Sort(a.Info)
	a.Info = slices.Compact(a.Info)
	return a
}

func (a answer) refused() bool { return strings.Contains(a.Final, "ERROR") }

// exchanges calls do with each command line of a connection and what the modem sent next, until a call begins.
func exchanges(connection []said, do func(command, reply string)) {
	for i, s := range connection {
		if !s.peer {
			continue
		}
		reply := ""
		if i+1 < len(connection) {
			reply = connection[i+1].text
		}
		do(s.text, reply)
		if parseAnswer(s.text, reply).Final == "CONNECT" {
			return
		}
	}
}

func TestParseAnswer(t *testing.T) {
	for _, tt := range []struct {
		command, reply string
		want           answer
	}{
		{"ATE0\r\n", "ATE0\r\r\nOK\r\n", answer{Final: "OK"}},
		{"AT+CGMM\r", "\r\nEC25\r\n\r\nOK\r\n", answer{"OK", []string{"text"}}},
		{"AT+CGMM\r", "\r\nEC25\r\n\r\nO", answer{"", []string{"text"}}},
		{"AT+CREG?;+CSQ\r", "\r\n+CREG: 0,1\r\n\r\n+CSQ: 30,99\r\n\r\nOK\r\n", answer{"OK", []string{"+CREG", "+CSQ"}}},
		{"AT+CSQ\r", "\r\n+CREG: 1\r\n\r\n+CSQ: 30,99\r\n\r\nOK\r\n", answer{"OK", []string{"+CSQ"}}},
		{"AT+CPIN?\r", "\r\n+CME ERROR: 10\r\n", answer{Final: "+CME ERROR: 10"}},
		{"AT+CMGS=18\r", "\r\n> ", answer{Final: prompt}},
		{"ATD*99#\r", "\r\nCONNECT 150000000\r\n~\xff}#", answer{Final: "CONNECT"}},
		{"ATD*99#\r", "\r\nNO CARRIER\r\n", answer{Final: "NO CARRIER"}},
	} {
		if diff := cmp.Diff(tt.want, parseAnswer(tt.command, tt.reply)); diff != "" {
			t.Errorf("parseAnswer(%q, %q) (-want +got):\n%s", tt.command, tt.reply, diff)
		}
	}
}
