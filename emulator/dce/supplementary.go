package dce

import "fmt"

// supplementaryCommands are about calls that nobody makes to a SIM for data: what programs switch on at their start is kept
// (TS 27.007 sections 6.11, 7.6, 7.12).
func supplementaryCommands() []command {
	return []command{
		reporting("+CRC", 1, ""),
		reporting("+CLIP", 1, ",0"), // the network does not tell callers' numbers
		reporting("+CCWA", 3, ""),   // <mode> and <class> may follow
	}
}

// reporting is a command that switches a report on and off; more follows the state when it is read.
func reporting(name string, maxArgs int, more string) command {
	return command{
		name: name,
		read: func(x *exchange) result {
			x.m.mu.Lock()
			on := x.m.reports[name]
			x.m.mu.Unlock()
			x.info(fmt.Sprintf("%s: %s%s", name, bit(on), more))
			return resultOK
		},
		test: says(name + ": (0,1)"),
		set: func(x *exchange, a args) result {
			on, ok := a.number(0, 0, 0, 1)
			_, okMode := a.number(1, 0, 0, 2)
			_, okClass := a.number(2, 7, 1, 255)
			if !ok || !okMode || !okClass || len(a) > maxArgs {
				return cmeError(cmeIncorrectParams)
			}
			x.m.mu.Lock()
			x.m.reports[name] = on == 1
			x.m.mu.Unlock()
			return resultOK
		},
	}
}
