package atline

import "strings"

// announces are the names that a modem also sends unasked, besides in answer to a command of the same name. For them the
// form of the command and the shape of the line decide whose it is; any other line with the command's name is a reply.
var announces = map[string]bool{
	"+CREG": true, "+CGREG": true, "+CEREG": true, "+C5GREG": true,
	"+CPIN": true, "+CFUN": true, "+CSCON": true, "+CUSD": true, "+CGEV": true,
	"+QIND": true, "+QUSIM": true, "+QSIMSTAT": true,
}

// bareURCs are the unsolicited lines without a name. They are never part of a reply.
var bareURCs = map[string]bool{
	"RDY": true, "APP RDY": true, "RING": true, "NO CARRIER": true, "POWERED DOWN": true, "NORMAL POWER DOWN": true,
	"SMS DONE": true, "PB DONE": true, "SMS READY": true, "CALL READY": true, "START": true,
}

// aliases are replies under another name than the command's.
var aliases = map[string]string{"+CICCID": "+ICCID", "I": "+GCAP"}

// isAnnouncement tells a line that a modem also sends unasked. One that answers is followed by a result.
func isAnnouncement(line string) bool { return lineName(line) != "" || bareURCs[strings.ToUpper(line)] }

// payloadLines are the unsolicited codes that have a line more: a message, which may read like anything, an OK included
// (27.005, 3.4.1).
var payloadLines = map[string]int{"+CMT": 1, "+CDS": 1, "+CBM": 1}

// form is how a command is written (V.250, 5.4.4).
type form int

const (
	formAction form = iota // +NAME
	formSet                // +NAME=...
	formRead               // +NAME?
	formTest               // +NAME=?
)

// A part is one command of a line such as E0;+CREG=1;+CSQ.
type part struct {
	name     string // "+CREG"; a basic command as a whole: "I", "E0V1"
	form     form
	answered bool // a line was already taken as its reply
}

func parseParts(cmd string) []part {
	var parts []part
	for _, text := range splitCommands(cmd) {
		parts = append(parts, parsePart(text))
	}
	return parts
}

// splitCommands cuts at semicolons outside quotation marks.
func splitCommands(cmd string) []string {
	var out []string
	quoted, start := false, 0
	for i := 0; i < len(cmd); i++ {
		switch {
		case cmd[i] == '"':
			quoted = !quoted
		case cmd[i] == ';' && !quoted:
			out = append(out, cmd[start:i])
			start = i + 1
		}
	}
	return append(out, cmd[start:])
}

func parsePart(text string) part {
	text = strings.ToUpper(strings.TrimSpace(text))
	end := nameEnd(text)
	if end == 0 {
		return part{name: text}
	}
	p := part{name: text[:end]}
	switch rest := strings.TrimSpace(text[end:]); {
	case strings.HasPrefix(rest, "=?"):
		p.form = formTest
	case strings.HasPrefix(rest, "="):
		p.form = formSet
	case strings.HasPrefix(rest, "?"):
		p.form = formRead
	}
	return p
}

// nameEnd measures an extended command's name: a symbol, then letters and digits. 0: there is none.
func nameEnd(s string) int {
	if s == "" || !strings.ContainsRune("+^*$#%!&_", rune(s[0])) {
		return 0
	}
	i := 1
	for i < len(s) && (s[i] >= 'A' && s[i] <= 'Z' || s[i] >= 'a' && s[i] <= 'z' || s[i] >= '0' && s[i] <= '9' || s[i] == '_') {
		i++
	}
	if i == 1 {
		return 0
	}
	return i
}

// lineName is the name that a reply or an unsolicited code begins with: "+CEREG" of "+CEREG: 1,5"; "" where there is none.
func lineName(line string) string {
	end := nameEnd(line)
	if end == 0 || end == len(line) || line[end] != ':' {
		return ""
	}
	return strings.ToUpper(line[:end])
}

// takes tells whether a line that is no final result answers the command; otherwise nobody asked for it.
func (p *pending) takes(line string) bool {
	if p.quiet {
		return false
	}
	name := lineName(line)
	if name == "" {
		return !bareURCs[strings.ToUpper(line)]
	}
	for i := range p.parts {
		part := &p.parts[i]
		if part.name != name && aliases[part.name] != name {
			continue
		}
		if !announces[name] || part.answers(line[len(name)+1:]) {
			part.answered = true
			return true
		}
	}
	return false
}

// answers decides for a name that is also announced.
func (p *part) answers(values string) bool {
	values = strings.TrimSpace(values)
	switch p.form {
	case formTest:
		return strings.HasPrefix(values, "(")
	case formRead, formAction:
		if p.answered { // these reads have one line: the next is news
			return false
		}
		return !strings.HasSuffix(p.name, "REG") || HasMode(values)
	}
	return false
}

// HasMode tells the two forms of a registration line apart (27.007, 7.2, 10.1.20, 10.1.22): "<n>,<stat>[,...]", the reply to
// a read, and "<stat>[,<lac>,<ci>...]", the unsolicited one. values is what follows the colon. The second field decides: a
// status is a number of at most three digits without quotation marks, a location area has four hexadecimal digits. Some
// modems announce in the reply's form, so that the shape counts even where nothing was read.
func HasMode(values string) bool {
	fields := strings.SplitN(values, ",", 3)
	if len(fields) < 2 {
		return false
	}
	stat := strings.TrimSpace(fields[1])
	if stat == "" || len(stat) > 3 {
		return false
	}
	for i := 0; i < len(stat); i++ {
		if stat[i] < '0' || stat[i] > '9' {
			return false
		}
	}
	return true
}

// isDial tells a command that ends in data mode: D without the semicolon of a voice call, O, and +CGDATA.
func isDial(cmd string) bool {
	cmd = strings.ToUpper(strings.TrimSpace(cmd))
	switch {
	case strings.HasPrefix(cmd, "D"):
		return !strings.HasSuffix(cmd, ";")
	case strings.HasPrefix(cmd, "+CGDATA="):
		return !strings.HasPrefix(cmd, "+CGDATA=?")
	case cmd == "O" || cmd == "O0" || cmd == "O1":
		return true
	}
	return false
}
