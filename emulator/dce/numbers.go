package dce

import (
	"fmt"
	"strconv"
	"strings"
)

// numbers is a set of small numbers that is written as test commands write it: 0-2,4.
type numbers struct {
	text string
	set  [128]bool
}

func parseNumbers(text string, hi int) (numbers, error) {
	n := numbers{text: text}
	for _, part := range strings.Split(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || a < 0 || a > b || b > hi {
			return n, fmt.Errorf("values %q: numbers and ranges up to %d are allowed, as in 0-2,4", text, hi)
		}
		for i := a; i <= b; i++ {
			n.set[i] = true
		}
	}
	return n, nil
}

func (n *numbers) has(i int) bool { return i >= 0 && i < len(n.set) && n.set[i] }
