package fault

import "strings"

// prefix tells which command lines a match parameter means; AT commands may be written in either case (V.250 section 5.2.1).
func prefix(match string) func(line string) bool {
	match = strings.ToUpper(match)
	return func(line string) bool { return strings.HasPrefix(strings.ToUpper(strings.TrimSpace(line)), match) }
}
