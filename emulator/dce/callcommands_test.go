package dce

import "testing"

// withPersonality is a modem of a make; errors are told by number.
func withPersonality(t *testing.T, name string) (*bench, *user) {
	t.Helper()
	p, err := LoadPersonality(name)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *Config) { c.Personality = p })
	u := b.ready("at")
	u.expect("AT+CMEE=1", done)
	return b, u
}

// TestCallCommands asks as telephony programs do at their start, and sets what cannot be.
func TestCallCommands(t *testing.T) {
	same := [][2]string{
		{"AT+CHLD=?", ok("+CHLD: (0,1,1x,2,2x,3,4)")}, {"AT+CHLD=0", cmeIs(3)}, {"AT+CHLD=1", cmeIs(3)}, {"AT+CHLD=21", cmeIs(3)}, {"AT+CHLD=5", "\r\nERROR\r\n"}, {"AT+CHLD=18", "\r\nERROR\r\n"},
		{"AT+VTS=?", ok("+VTS: (0-9,A-D,*,#),(0-255)")}, {`AT+VTS="5"`, cmeIs(3)}, {`AT+VTS="x"`, "\r\nERROR\r\n"}, {"AT+VTS=5,256", "\r\nERROR\r\n"},
		{"AT+CLIR=?", ok("+CLIR: (0-2)")}, {"AT+CLIR?", ok("+CLIR: 0,2")}, {"AT+CLIR=1", done}, {"AT+CLIR?", ok("+CLIR: 1,2")}, {"AT+CLIR=3", cmeIs(50)},
		{"AT+CCFC=?", ok("+CCFC: (0-5)")}, {"AT+CCFC=0,2", ok("+CCFC: 0,7")}, {"AT+CCFC=2,2,,,1", ok("+CCFC: 0,1")}, {"AT+CCFC=0,4", done}, {`AT+CCFC=0,3,"110",129`, cmeIs(133)}, {"AT+CCFC=6,2", "\r\nERROR\r\n"}, {"AT+CCFC=0,5", "\r\nERROR\r\n"},
		{"AT+CLVL=?", ok("+CLVL: (0-5)")}, {"AT+CLVL=5", done}, {"AT+CLVL?", ok("+CLVL: 5")}, {"AT+CLVL=6", cmeIs(50)},
		{"AT+CMUT?", ok("+CMUT: 0")}, {"AT+CMUT=1", done}, {"AT+CMUT=2", cmeIs(50)},
		{"AT+CVHU=?", ok("+CVHU: (0,1)")}, {"AT+CVHU=0", done}, {"AT+CVHU=3", cmeIs(50)},
		{"AT+CFUN=4", done}, {"AT+CCFC=0,2", cmeIs(30)},
	}
	for name, own := range map[string][][2]string{
		"quectel-ec25":   {{"AT+VTD=?", ok("+VTD: (0-255),(0-255)")}, {"AT+VTD?", ok("+VTD: 0,0")}, {"AT+VTD=3", done}, {"AT+VTD=256", cmeIs(50)}, {"AT+CMUT=?", ok("+CMUT: (0,1)")}, {"AT+CLVL?", ok("+CLVL: 3")}},
		"quectel-eg25-g": {{"AT+VTD=?", ok("+VTD: (0-255),(0-255)")}, {"AT+CLVL?", ok("+CLVL: 3")}},
		"simcom-sim7600": {{"AT+VTD=?", ok("+VTD: (1-255)")}, {"AT+VTD=0", cmeIs(50)}, {"AT+VTD=255", done}, {"AT+CMUT=?", ok("+CMUT: (0-1)")}, {"AT+CLVL?", ok("+CLVL: 4")}},
		"ublox-lara-r6":  {{"AT+VTD=?", ok("+VTD: (1-255)")}, {"AT+CMUT=?", ok("+CMUT: (0,1)")}},
	} {
		t.Run(name, func(t *testing.T) {
			_, u := withPersonality(t, name)
			for _, tt := range append(own, same...) {
				u.expect(tt[0], tt[1])
			}
		})
	}
	for _, name := range []string{"quectel-bg96", "simcom-sim7080", "huawei-ms2372"} {
		t.Run(name, func(t *testing.T) {
			b, u := withPersonality(t, name)
			for _, command := range []string{"+CHLD", "+VTS", "+VTD", "+CLIR", "+CCFC", "+CLVL", "+CMUT", "+CVHU"} {
				u.expect("AT"+command+"=?", "\r\n"+b.personality.unknown.verbose+"\r\n")
			}
		})
	}
}

// TestCallByHold answers, plays a tone and ends a call with +CHLD and +VTS.
func TestCallByHold(t *testing.T) {
	b, u := withPersonality(t, "quectel-ec25")
	rings := func() {
		t.Helper()
		if err := b.Ring("+819012345678"); err != nil {
			t.Fatal(err)
		}
		u.await("\r\nRING\r\n")
	}
	rings()
	u.expect("AT+VTS=5", cmeIs(3))
	u.expect("AT+CHLD=0", done)                        // busy
	u.expect("AT+CLCC", ok(`+CLCC: 1,1,0,1,0,"",128`)) // LTE's bearer
	rings()
	u.expect("AT+CHLD=2", done)
	u.expect("AT+CLCC", ok("+CLCC: 1,1,0,1,0,\"\",128\r\n"+`+CLCC: 2,1,0,0,0,"+819012345678",145`))
	u.expect(`AT+VTS="5"`, done)
	u.expect("AT+VTS=*,10", done)
	u.expect("AT+CHLD=2", cmeIs(3)) // nobody could talk on
	u.expect("AT+CHLD=1", done)
	u.expect("AT+CLCC", ok(`+CLCC: 1,1,0,1,0,"",128`))
	u.expect("AT+CFUN=4;+CLCC", done) // no bearer
}

// TestPacketCall: that LTE's bearer is in the list of calls is a manner of some makes.
func TestPacketCall(t *testing.T) {
	for name, want := range map[string]string{
		"quectel-eg25-g": "+CLCC: 1,1,0,1,0,\"\",128\r\n+CLCC: 2,1,4,0,0,\"110\",129", "quectel-bg96": `+CLCC: 1,1,4,0,0,"110",129`, "ublox-lara-r6": `+CLCC: 1,1,4,0,0,"110",129`,
	} {
		b, u := withPersonality(t, name)
		if err := b.Ring("110"); err != nil {
			t.Fatal(err)
		}
		u.await("\r\nRING\r\n")
		u.expect("AT+CLCC", ok(want))
	}
}
