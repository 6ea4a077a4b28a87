package dce

// networkCommands are about the radio and the operator (TS 27.007 sections 7 and 8).
func networkCommands() []command {
	list := []command{
		{name: "+CFUN", read: readFunctionality, test: testFunctionality, set: setFunctionality},
		{name: "+CSQ", exec: signalQuality, test: says("+CSQ: (0-31,99),(0-7,99)")},
		{name: "+CESQ", exec: extendedSignalQuality, test: says("+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-24,255),(0-34,255),(0-97,255)")},
		{name: "+CEER", exec: extendedErrorReport, test: says()},
	}
	for i, name := range regDomains {
		list = append(list, command{
			name: name,
			read: func(x *exchange) result { return readRegistration(x, i) },
			test: func(x *exchange) result {
				x.info(name + ": (" + x.m.personality.levels[i].text + ")")
				return resultOK
			},
			exec: func(x *exchange) result { return reportRegistration(x, i, nil) },
			set:  func(x *exchange, a args) result { return reportRegistration(x, i, a) },
		})
	}
	return list
}

func readRegistration(x *exchange, domain int) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info(x.m.registrationLocked("registration", domain, x.m.reg.report[domain]))
	return resultOK
}

func reportRegistration(x *exchange, domain int, a args) result {
	n, ok := a.number(0, 0, 0, 5)
	if !ok || !x.m.personality.levels[domain].has(n) || len(a) > 1 {
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

func testFunctionality(x *exchange) result {
	x.info("+CFUN: (" + x.m.personality.functions.text + "),(0,1)")
	return resultOK
}

// setFunctionality switches the radio; OK comes when the network has seen it. With a second parameter of 1 the modem resets.
func setFunctionality(x *exchange, a args) result {
	fun, ok1 := a.number(0, 1, 0, 127)
	reset, ok2 := a.number(1, 0, 0, 1)
	if !ok1 || !ok2 || !x.m.personality.functions.has(fun) || len(a) > 2 {
		return cmeError(cmeIncorrectParams)
	}
	if reset == 1 {
		r := resultOK
		r.after = x.m.Reset
		return r
	}
	x.m.mu.Lock()
	was := x.m.functions
	x.m.mu.Unlock()
	if was == fun {
		return resultOK
	}
	x.wait(x.m.personality.Delays.CFUN)
	x.m.mu.Lock()
	x.m.functions = fun
	if was == 0 { // the card was off, too
		x.m.sim.powerUp()
		x.m.waking = x.m.sim.ready()
	}
	ready, looked := x.m.sim.ready(), x.m.looked
	x.m.mu.Unlock()
	if fun != 1 {
		x.m.detach("the radio was switched off", true)
	}
	switch { // what is told waits for the answer to end
	case was == 0 && ready:
		x.m.simUp(looked)
	case was == 0:
		x.m.saySIM()
	default:
		x.m.poke()
	}
	return resultOK
}

func signalQuality(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info(x.m.formatLocked("+CSQ", nil, nil))
	return resultOK
}

func extendedSignalQuality(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	x.info(x.m.formatLocked("+CESQ", nil, nil))
	return resultOK
}

func extendedErrorReport(x *exchange) result {
	x.m.mu.Lock()
	defer x.m.mu.Unlock()
	text := x.m.lastCause
	if text == "" {
		text = "No cause information available"
	}
	x.info(x.m.formatLocked("+CEER", nil, map[string]any{"cause": text}))
	return resultOK
}
