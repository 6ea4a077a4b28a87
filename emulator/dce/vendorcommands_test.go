package dce

import (
	"strings"
	"testing"
	"time"
)

// TestVendorCommands asks what drivers and chat scripts of each make ask.
func TestVendorCommands(t *testing.T) {
	at := time.Date(2026, 11, 22, 16, 2, 3, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		lines [][2]string
	}{
		{"quectel-ec25", [][2]string{
			{"AT+QGPS=?", ok("+QGPS: (1-4),(1-255),(1-1000),(0-1000),(1-65535)")}, {"AT+QGPSEND", cmeIs(505)}, {"AT+QGPSLOC=2", cmeIs(505)},
			{`AT+QGPSCFG="outport","usbnmea"`, done}, {`AT+QGPSCFG="outport"`, ok(`+QGPSCFG: "outport","usbnmea"`)}, {"AT+QGPSXTRA=1", done},
			{"AT+QGPS=2,30", done}, {"AT+QGPS?", ok("+QGPS: 1")}, {"AT+QGPS=1", cmeIs(504)}, {"AT+QGPSLOC=2", cmeIs(516)}, {"AT+QGPSLOC?", cmeIs(516)},
			{"AT+CMEE=2;+QGPSLOC=0", "\r\n+CME ERROR: Not fixed now\r\n"}, {"AT+CMEE=1", done},
			{"AT+QGPSEND;+QGPS?", ok("+QGPS: 0")}, {"AT+QGPS=1", done}, {"AT+QGPS=5", cmeIs(50)},
			{"AT+QLTS=1", ok(`+QLTS: "2026/11/22,16:02:03+36,0"`)}, {"AT+QLTS=2", ok(`+QLTS: "2026/11/23,01:02:03+36,0"`)}, {"AT+QLTS=3", "\r\nERROR\r\n"},
			{"AT+CBC", ok("+CBC: 0,80,3859")}, {"AT+CGSMS=2;+CGSMS?", ok("+CGSMS: 2")}, {`AT+CGCLASS="A"`, done}, {`AT+CGCLASS="B"`, cmeIs(50)},
			{"AT+CGQREQ=1,2,4,3,6,31", done}, {"AT+CGQMIN=1", done}, {"AT+CGQREQ?", done},
			{`AT+QCFG="usbcfg"`, ok(`+QCFG: "usbcfg",0x2C7C,0x0125,1,1,1,1,1,0,0`)}, {`AT+QCFG="roamservice",2,1;+QCFG="roamservice"`, ok(`+QCFG: "roamservice",2`)},
		}},
		{"quectel-bg96", [][2]string{
			{"AT+QGPS=1;+QGPS?", ok("+QGPS: 1")}, {"AT+QGPSLOC?", cmeIs(516)}, {`AT+QCFG="usbcfg"`, ok(`+QCFG: "usbcfg",0x2C7C,0x0296,1,1,1,1,1,0,0`)}, {"AT+CBC", ok("+CBC: 0,80,3859")},
			{`AT+QCFG="nwscanmode",2`, cmeIs(50)}, {`AT+QCFG="servicedomain",0`, cmeIs(50)}, {`AT+QCFG="usbnet"`, "\r\nERROR\r\n"}, {`AT+QCFG="ppp/termframe",1`, "\r\nERROR\r\n"},
		}},
		{"quectel-eg25-g", [][2]string{
			{`AT+QCFG="nwscanmode",8,1;+QCFG="nwscanmode"`, ok(`+QCFG: "nwscanmode",8`)}, {`AT+QCFG="nwscanmode",9`, cmeIs(50)},
			{`AT+QCFG="band",0xbff,0x1,0x7FFFFFFFFFFFFFFFF`, cmeIs(50)}, {`AT+QGPSCFG="outport","uartdebug"`, done}, {`AT+QGPSCFG="outport","uartnmea"`, cmeIs(50)},
		}},
		{"simcom-sim7600", [][2]string{
			{"AT+CGPS=1", done}, {"AT+CGPS?", ok("+CGPS: 1,1")}, {"AT+CGPS=1,1", "\r\nERROR\r\n"}, {"AT+CGPSINFO", ok("+CGPSINFO: ,,,,,,,,")}, {"AT+CGPS=0;+CGPS?", ok("+CGPS: 0,1")}, {"AT+CGPS=1,2", cmeIs(50)},
			{`AT$QCPDPP=1,1,"word","name"`, done}, {"AT+CGAUTH?", ok("+CGAUTH: 1,1,\"name\",\"word\"\r\n+CGAUTH: 2,0,\"\",\"\"\r\n+CGAUTH: 3,0,\"\",\"\"")}, {"AT$QCPDPP=1,0", done},
		}},
		{"simcom-sim7080", [][2]string{
			{"AT+CGNSINF", ok("+CGNSINF: 0" + strings.Repeat(",", 20))}, {"AT+CGNSPWR=1;+CGNSPWR?", ok("+CGNSPWR: 1")}, {"AT+CGNSINF", ok("+CGNSINF: 1,0,,,,,,,0,,,,,,0,0,,,,,")}, {`AT+CEDRXS=1,4,"0101"`, done},
			{"AT+CFUN=0", ok("+CPIN: NOT READY")}, {"AT+CFUN=0", done}, {"AT+CFUN?", ok("+CFUN: 0")}, {"AT+CPIN?", cmeIs(13)},
		}},
		{"huawei-ms2372", [][2]string{
			{"AT^NWTIME?", ok("^NWTIME: 26/11/23,01:02:03+36,00")},
			{`AT^SYSCFGEX="03",3FFFFFFF,1,2,7FFFFFFFFFFFFFFF,,;^SYSCFGEX?`, ok(`^SYSCFGEX: "03",3FFFFFFF,1,2,7FFFFFFFFFFFFFFF`)}, {`AT^SYSCFGEX="09",3FFFFFFF,1,2,7FFFFFFFFFFFFFFF`, cmeIs(50)},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := LoadPersonality(tt.name)
			if err != nil {
				t.Fatal(err)
			}
			u := newBench(t, func(c *Config) { c.Personality, c.Now = p, func() time.Time { return at } }).ready("at")
			u.expect("AT+CMEE=1", done)
			for _, l := range tt.lines {
				u.expect(l[0], l[1])
			}
		})
	}
}

// TestConfigurationLists holds the lines of +QCFG=? and +QGPSCFG=? that transcripts have of two relatives of the EC25.
func TestConfigurationLists(t *testing.T) {
	for _, tt := range []struct {
		name, command string
		lines, lacks  []string
	}{
		{"quectel-eg25-g", "AT+QCFG=?", []string{
			`"nwscanmode",(0-8),(0,1)`, `"servicedomain",(0,1,2),(0,1)`, `"roamservice",(1,2,255),(0,1)`, `"usbnet",<0-3>`, `"cmux/urcport",(0-4),(0,1)`, `"ppp/termframe",(0,1)`,
			`"band",(0-200),(0-7FFFFFFFFFFFFFFFF),(0-7FFFFFFFFFFFFFFF),(0,1)`,
		}, nil},
		{"quectel-eg25-g", "AT+QGPSCFG=?", []string{`"outport",("none","usbnmea","uartdebug")`, `"nmeasrc",(0,1)`, `"gpsnmeatype",(0-31)`, `"autogps",(0,1)`}, nil},
		{"quectel-bg96", "AT+QCFG=?", []string{
			`"nwscanmode",(0,1,3),(0,1)`, `"nwscanseq",(00-010203),(0,1)`, `"servicedomain",(1,2),(0,1)`, `"roamservice",(1,2,255),(0,1)`, `"iotopmode",(0-2)`, `"cmux/urcport",(0-4)`,
			`"band",(0-F),(0-7FFFFFFFFFFFFFFF),(0-7FFFFFFFFFFFFFFF),(0,1)`,
		}, []string{"usbnet", "ppp/termframe"}},
	} {
		_, u := withPersonality(t, tt.name)
		u.send(tt.command + "\r")
		got := u.await(done)
		for _, l := range tt.lines {
			if name, _, _ := strings.Cut(tt.command[2:], "="); !strings.Contains(got, "\r\n"+name+": "+l+"\r\n") {
				t.Errorf("%s, %s: no line %s in %q", tt.name, tt.command, l, got)
			}
		}
		for _, key := range tt.lacks {
			if strings.Contains(got, key) {
				t.Errorf("%s, %s: it has %s", tt.name, tt.command, key)
			}
		}
	}
}

// TestPowerDownForOK is SIMCom's way: the line that says it is the result, also where results are numbers.
func TestPowerDownForOK(t *testing.T) {
	_, u := withPersonality(t, "simcom-sim7080")
	u.expect("AT+CSQ;+CPOWD=1;+CSQ", "\r\n+CSQ: 30,99\r\n\r\nNORMAL POWER DOWN\r\n\r\nRDY\r\n")
	u.await("\r\nSMS Ready\r\n")
	u.send("ATE0\r")
	u.await(done)
	u.expect("ATV0", "0\r")
	u.expect("AT+CPOWD=1", "NORMAL POWER DOWN\r\r\nRDY\r\n")
}

// TestPPPDrop ends a call from the other port.
func TestPPPDrop(t *testing.T) {
	b := newBench(t, nil)
	at := b.ready("at")
	ppp := b.user("ppp")
	ppp.expect("ATE0", "ATE0\r\r\nOK\r\n")
	at.expect(`AT+QPPPDROP;+CGDCONT=1,"IP","soracom.io"`, done)
	c := ppp.dial("sora", "sora")
	c.awaitUp(t)
	at.expect("AT+QPPPDROP", done)
	if err := c.awaitEnd(t); err == nil {
		t.Error("the link ended by itself")
	}
	ppp.await("\r\nNO CARRIER\r\n")
	<-b.net.session().Done()
}
