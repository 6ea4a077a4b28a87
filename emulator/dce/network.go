package dce

import "fmt"

// networkCommands are about the radio and the operator (TS 27.007 sections 7 and 8).
func networkCommands() []command {
	list := []command{
		{name: "+CFUN", read: readFunctionality, test: says("+CFUN: (0,1,4),(0,1)"), set: setFunctionality},
		{name: "+COPS", read: readOperator, test: scanOperators, set: setOperator},
		{name: "+CSQ", exec: signalQuality, test: says("+CSQ: (0-31,99),(0-7,99)")},
		{name: "+CESQ", exec: extendedSignalQuality, test: says("+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-24,255),(0-34,255),(0-97,255)")},
		{name: "+CEER", exec: extendedErrorReport, test: says()},
	}
	for i, name := range regDomains {
		list = append(list, command{
			name: name,
			read: func(x *exchange) result { return readRegistration(x, i) },
			test: says(name + ": (0-2)"),
			set:  func(x *exchange, a args) result { return reportRegistration(x, i, a) },
		})
	}
	return list
}

func readRegistration(x *exchange, domain int) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	n := x.m.reg.report[domain]
	text := fmt.Sprintf("%s: %d,%d", regDomains[domain], n, x.m.reg.stat)
	if n == 2 {
		text += x.m.placeLocked()
	}
	x.info(text)
	return resultOK
}

func reportRegistration(x *exchange, domain int, a args) result {
	n, ok := a.number(0, 0, 0, 2)
	if !ok || len(a) > 1 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.m.reg.report[domain] = n
	return resultOK
}

func readFunctionality(x *exchange) result {
	x.info(x.m.fill("+CFUN: {cfun}"))
	return resultOK
}

// setFunctionality switches the radio; OK comes when the network has seen it. With a second parameter of 1 the modem resets.
func setFunctionality(x *exchange, a args) result {
	fun, ok1 := a.number(0, 1, 0, 4)
	reset, ok2 := a.number(1, 0, 0, 1)
	if !ok1 || !ok2 || fun != 0 && fun != 1 && fun != 4 || len(a) > 2 {
		return cmeError(cmeIncorrectParams)
	}
	if reset == 1 {
		r := resultOK
		r.after = x.m.Reset
		return r
	}
	x.m.mu.Lock()
	changed := x.m.functions != fun
	x.m.mu.Unlock()
	if !changed {
		return resultOK
	}
	x.wait(x.m.personality.Delays.CFUN)
	x.m.mu.Lock()
	x.m.functions = fun
	x.m.mu.Unlock()
	if fun != 1 {
		x.m.detach("the radio was switched off", true)
	}
	x.m.poke()
	return resultOK
}

func readOperator(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	if x.m.reg.stat != RegisteredHome {
		x.info(fmt.Sprintf("+COPS: %d", x.m.cops.mode))
		return resultOK
	}
	x.info(fmt.Sprintf(`+COPS: %d,%d,"%s",7`, x.m.cops.mode, x.m.cops.format, x.m.cell.name(x.m.cops.format)))
	return resultOK
}

func (c Cell) name(format int) string {
	if format == 2 {
		return c.PLMN
	}
	return c.Operator
}

func scanOperators(x *exchange) result {
	x.m.mu.Lock()
	radio := x.m.functions == 1
	registered := x.m.reg.stat == RegisteredHome
	c := x.m.cell
	x.m.mu.Unlock()
	if !radio {
		return cmeError(cmeNoNetwork)
	}
	x.wait(x.m.personality.Delays.Scan)
	stat := 1
	if registered {
		stat = 2
	}
	x.info(fmt.Sprintf(`+COPS: (%d,"%s","%s","%s",7),,(0-4),(0-2)`, stat, c.Operator, c.Operator, c.PLMN))
	return resultOK
}

func setOperator(x *exchange, a args) result {
	mode, ok1 := a.number(0, 0, 0, 4)
	format, ok2 := a.number(1, 0, 0, 2)
	if !ok1 || !ok2 || len(a) > 4 {
		return cmeError(cmeIncorrectParams)
	}
	x.m.mu.Lock()
	sel := &x.m.cops
	switch mode {
	case 3: // only the format of +COPS?
		sel.format = format
		x.m.mu.Unlock()
		return resultOK
	case 1, 4:
		if a.str(2) == "" {
			x.m.mu.Unlock()
			return cmeError(cmeIncorrectParams)
		}
		sel.mode, sel.plmn = 1, a.str(2)
		if a.str(2) == x.m.cell.name(format) {
			sel.plmn = x.m.cell.PLMN
		} else if mode == 4 {
			sel.mode = 0
		}
	default:
		sel.mode = mode
	}
	leave := sel.mode == 2 || sel.mode == 1 && sel.plmn != x.m.cell.PLMN
	x.m.reg.refused = false
	x.m.mu.Unlock()
	if leave {
		x.m.detach("another operator was selected", true)
	}
	x.m.poke()
	return resultOK
}

func signalQuality(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	rssi := 99
	if x.m.receivesLocked() {
		rssi = x.m.signal.csq()
	}
	x.info(fmt.Sprintf("+CSQ: %d,99", rssi))
	return resultOK
}

func extendedSignalQuality(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	rsrq, rsrp := 255, 255
	if x.m.receivesLocked() {
		rsrq, rsrp = x.m.signal.rsrq(), x.m.signal.rsrp()
	}
	x.info(fmt.Sprintf("+CESQ: 99,99,255,255,%d,%d", rsrq, rsrp))
	return resultOK
}

func extendedErrorReport(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	text := x.m.lastCause
	if text == "" {
		text = "No cause information available"
	}
	x.info("+CEER: " + text)
	return resultOK
}
