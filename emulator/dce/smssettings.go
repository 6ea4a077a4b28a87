package dce

import (
	"fmt"
	"slices"
	"strconv"

	"minato/emulator/sms"
)

// messages gives what the settings commands work on, under the modem's lock.
func (x *exchange) messages(f func(g *messaging) result) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	return f(&x.m.messages)
}

func readFormat(x *exchange) result {
	return x.messages(func(g *messaging) result {
		x.info("+CMGF: " + bit(g.text))
		return resultOK
	})
}

func setFormat(x *exchange, a args) result {
	n, ok := a.number(0, 0, 0, 1)
	if !ok || len(a) > 1 {
		return cms(cmsNotAllowed)
	}
	return x.messages(func(g *messaging) result {
		g.text = n == 1
		return resultOK
	})
}

func readService(x *exchange) result {
	return x.messages(func(g *messaging) result {
		x.info(fmt.Sprintf("+CSMS: %d,1,1,1", g.service))
		return resultOK
	})
}

func setService(x *exchange, a args) result {
	n, ok := a.number(0, -1, 0, 1)
	if !ok || len(a) > 1 {
		return cms(cmsNotSupported)
	}
	return x.messages(func(g *messaging) result {
		g.service = n
		x.info("+CSMS: 1,1,1")
		return resultOK
	})
}

func readMemories(x *exchange, g *messaging) result {
	line := "+CPMS: "
	for i, name := range g.memories {
		if i > 0 {
			line += ","
		}
		s := g.store(name)
		line += fmt.Sprintf(`"%s",%d,%d`, name, s.Used(), s.Size())
	}
	x.info(line)
	return resultOK
}

// memoriesFor lists the storages that +CPMS offers for reading, for writing and for receiving: reports only come to SR.
func (g *messaging) memoriesFor(f *SMSFacts, use int) []string {
	if use == 2 {
		return f.Receive.Value
	}
	var names []string
	for _, name := range []string{storageME, storageMT, storageSM, storageSR} {
		if g.store(name) != nil && (name != storageSR || use == 0) {
			names = append(names, name)
		}
	}
	return names
}

func testMemories(x *exchange) result {
	return x.messages(func(g *messaging) result {
		line := "+CPMS: "
		for use := range g.memories {
			if use > 0 {
				line += ","
			}
			line += "("
			for i, name := range g.memoriesFor(x.m.personality.sms(), use) {
				if i > 0 {
					line += ","
				}
				line += strconv.Quote(name)
			}
			line += ")"
		}
		x.info(line)
		return resultOK
	})
}

func setMemories(x *exchange, g *messaging, a args) result {
	next := g.memories
	if len(a) > len(next) {
		return cms(cmsNotAllowed)
	}
	for i, v := range a {
		if !v.given && i > 0 {
			continue
		}
		if !slices.Contains(g.memoriesFor(x.m.personality.sms(), i), v.text) {
			return cms(cmsNotAllowed)
		}
		next[i] = v.text
	}
	g.memories = next
	line := "+CPMS: "
	for i, name := range g.memories {
		if i > 0 {
			line += ","
		}
		line += fmt.Sprintf("%d,%d", g.store(name).Used(), g.store(name).Size())
	}
	x.info(line)
	return x.m.roomResult()
}

func readCentre(x *exchange, g *messaging) result {
	if g.centre == (sms.Address{}) {
		return cms(cmsCentreUnknown)
	}
	x.info(fmt.Sprintf("+CSCA: %s,%d", x.quoted(g.centre.String()), g.centre.Type))
	return resultOK
}

func setCentre(x *exchange, g *messaging, a args) result {
	to, ok := x.address(a, 0)
	if !ok || len(a) > 2 {
		return cms(cmsNotAllowed)
	}
	g.centre = to
	return resultOK
}

func readDetails(x *exchange) result {
	return x.messages(func(g *messaging) result {
		x.info("+CSDH: " + bit(g.details))
		return resultOK
	})
}

func setDetails(x *exchange, a args) result {
	n, ok := a.number(0, 0, 0, 1)
	if !ok || len(a) > 1 {
		return cms(cmsNotAllowed)
	}
	return x.messages(func(g *messaging) result {
		g.details = n == 1
		return resultOK
	})
}

func readParameters(x *exchange) result {
	return x.messages(func(g *messaging) result {
		d := g.defaults
		x.info(fmt.Sprintf("+CSMP: %d,%s,%d,%d", d.firstOctet, showValidity(d.validity()), d.pid, d.dcs))
		return resultOK
	})
}

// setParameters takes +CSMP. What is left out stays as it is.
func setParameters(x *exchange, a args) result {
	return x.messages(func(g *messaging) result {
		d := g.defaults
		fo, ok1 := a.number(0, int(d.firstOctet), 0, 255)
		pid, ok2 := a.number(2, int(d.pid), 0, 255)
		dcs, ok3 := a.number(3, int(d.dcs), 0, 255)
		if !ok1 || !ok2 || !ok3 || len(a) > 4 || fo&3 != 1 {
			return cms(cmsTextParameter)
		}
		d.firstOctet, d.pid, d.dcs = byte(fo), byte(pid), byte(dcs)
		switch vp := a.at(1); {
		case d.format() == sms.EnhancedValidity:
			return cms(cmsTextParameter) // text mode has no way to write it
		case vp.given && vp.quoted:
			t, ok := parseTime(vp.text)
			if !ok || d.format() != sms.AbsoluteValidity {
				return cms(cmsTextParameter)
			}
			d.absolute = t
		case vp.given:
			n, ok := a.number(1, 0, 0, 255)
			if !ok || d.format() == sms.AbsoluteValidity {
				return cms(cmsTextParameter)
			}
			d.relative = byte(n)
		case d.format() == sms.AbsoluteValidity && d.absolute.IsZero():
			return cms(cmsTextParameter)
		}
		g.defaults = d
		return resultOK
	})
}

func (d submitDefaults) format() sms.ValidityFormat { return sms.ValidityFormat(d.firstOctet >> 3 & 3) }

func (d submitDefaults) validity() sms.Validity {
	return sms.Validity{Format: d.format(), Relative: d.relative, Absolute: d.absolute}
}
