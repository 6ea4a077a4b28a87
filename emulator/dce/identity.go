package dce

// identityCommands tell who the modem is (TS 27.007 section 5, V.250 section 6.1).
func identityCommands() []command {
	line := func(text string) handler {
		return func(x *exchange) result {
			x.info(x.m.fill(text))
			return resultOK
		}
	}
	return []command{
		{name: "I", basic: level(9, nil, identification)},
		{name: "+CGMI", exec: line("{manufacturer}"), test: says()},
		{name: "+CGMM", exec: line("{model}"), test: says()},
		{name: "+CGMR", exec: line("{revision}"), test: says()},
		{name: "+CGSN", exec: line("{imei}"), test: says()},
		{name: "+GMI", exec: line("{manufacturer}"), test: says()},
		{name: "+GMM", exec: line("{model}"), test: says()},
		{name: "+GMR", exec: line("{revision}"), test: says()},
		{name: "+GSN", exec: line("{imei}"), test: says()},
	}
}

func identification(x *exchange) result {
	for _, l := range x.m.personality.Identity.ATI.Value {
		x.info(x.m.fill(l))
	}
	return resultOK
}
