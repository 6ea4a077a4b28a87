package dce

// identityCommands tell who the modem is (TS 27.007 section 5, V.250 section 6.1).
func identityCommands() []command {
	line := func(text string) handler {
		t, err := parseTemplate(text, knownVar)
		if err != nil {
			panic("dce: " + err.Error())
		}
		return func(x *exchange) result {
			x.info(x.m.fillTemplate(t))
			return resultOK
		}
	}
	return []command{
		{name: "I", basic: identification},
		{name: "+CGMI", exec: line("{manufacturer}"), test: says()},
		{name: "+CGMM", exec: line("{model}"), test: says()},
		{name: "+CGMR", exec: line("{revision}"), test: says()},
		{name: "+CGSN", exec: line("{imei}"), test: says("+CGSN: (0-3)"), set: serialNumber},
		{name: "+GMI", exec: line("{manufacturer}"), test: says()},
		{name: "+GMM", exec: line("{model}"), test: says()},
		{name: "+GMR", exec: line("{revision}"), test: says()},
		{name: "+GSN", exec: line("{imei}"), test: says()},
		{name: "+GCAP", exec: line("+GCAP: {gcap}"), test: says()},
	}
}

func identification(x *exchange, inv invocation) result {
	lines, ok := x.m.personality.infos[inv.num]
	if !ok {
		return resultError
	}
	for _, l := range lines {
		x.info(x.m.fillTemplate(l))
	}
	return resultOK
}

// serialNumber is +CGSN=<snt>: 0 the serial number, 1 the IMEI, 2 the IMEISV, 3 the SVN.
func serialNumber(x *exchange, a args) result {
	n, ok := a.number(0, 1, 0, 3)
	if !ok || len(a) > 1 {
		return cmeError(cmeIncorrectParams)
	}
	imei := x.m.imei
	switch n {
	case 0:
		x.info(imei)
	case 1:
		x.info(`+CGSN: "` + imei + `"`)
	case 2: // fourteen digits and the version, with no check digit (TS 23.003 section 6.2.2)
		x.info(`+CGSN: "` + imei[:min(14, len(imei))] + x.m.personality.Identity.SVN.Value + `"`)
	case 3:
		x.info(`+CGSN: "` + x.m.personality.Identity.SVN.Value + `"`)
	}
	return resultOK
}
