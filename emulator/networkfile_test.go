package emulator

import (
	"fmt"
	"strings"
	"testing"

	"minato/emulator/core"
	"minato/emulator/dce"
	"minato/emulator/ttytest"
)

// parse is the configuration of a file's text.
func parse(t testing.TB, text string) Config {
	t.Helper()
	f, err := ParseFile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := f.Config()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestNetworkOfFile(t *testing.T) {
	cell := func(edit func(*dce.Cell)) dce.Cell { c := dce.DefaultCell; edit(&c); return c }
	for _, tt := range []struct {
		name, text string
		want       dce.Cell
	}{
		{"nothing", "", dce.DefaultCell},
		{"all", "{plmn: 00101, operator: Test PLMN, tac: 0x00a1, cell: 0x5C0FFEE, band: 40, earfcn: 38950, zone: -03:30}",
			dce.Cell{PLMN: "00101", Operator: "Test PLMN", TAC: 0xa1, ID: 0x5c0ffee, Band: 40, EARFCN: 38950, Zone: -14}},
		{"decimal", "{tac: 010, cell: 0}", cell(func(c *dce.Cell) { c.TAC, c.ID = 10, 0 })},
		{"PLMN and name", `{plmn: "26201", operator: Telekom.de}`, cell(func(c *dce.Cell) { c.PLMN, c.Operator = "26201", "Telekom.de" })},
		{"PLMN alone", "{plmn: 26201}", cell(func(c *dce.Cell) { c.PLMN, c.Operator = "26201", "26201" })},
		{"name alone", "{operator: SORACOM}", cell(func(c *dce.Cell) { c.Operator = "SORACOM" })},
		{"band alone", "{band: 3}", cell(func(c *dce.Cell) { c.Band, c.EARFCN = 3, 1574 })},
		{"the same band", "{band: 1}", dce.DefaultCell},
		{"channel alone", "{earfcn: 1300}", cell(func(c *dce.Cell) { c.Band, c.EARFCN = 3, 1300 })},
		{"UTC", "{zone: +00:00}", cell(func(c *dce.Cell) { c.Zone = 0 })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parse(t, "network: "+tt.text+"\n").Cell; got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestNetworkOfFileErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"{plmn: 262}", `network: PLMN "262": want 5 or 6 digits`},
		{"{operator: Telefonica Deutschland}", `network: operator "Telefonica Deutschland": want 1 to 16`},
		{"{tac: 1F00}", `network: tac "1F00": want a number of at most 16 bits, decimal or as 0x1F00`},
		{"{tac: 65536}", `network: tac "65536": want a number of at most 16 bits`},
		{"{tac: -1}", `network: tac "-1"`},
		{"{tac: 0}", `network: TAC 0000`},
		{"{cell: 0x10000000}", `network: cell "0x10000000": want a number of at most 28 bits`},
		{"{band: 29}", "network: band 29: want an E-UTRA operating band to camp on"},
		{"{band: x}", `network: band "x": want a number of at most 8 bits`},
		{"{earfcn: 9700}", "network: earfcn 9700: in no E-UTRA band to camp on"},
		{"{band: 3, earfcn: 100}", "network: EARFCN 100: band 3 has 1200 to 1949"},
		{"{zone: 9}", `network: zone "9": want an offset from UTC in quarters of an hour, as +09:00 or -03:30`},
		{"{zone: +09:10}", `network: zone "+09:10"`},
		{"{zone: +14:15}", "network: zone 57: want -48 to 56 quarters of an hour"},
		{"{mnc: 10}", `unknown field "mnc"`},
	} {
		t.Run(tt.text, func(t *testing.T) {
			if _, err := ParseFile([]byte("network: " + tt.text + "\n")); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestAnotherNetwork is what a file of one line changes: the sample SIMs are the network's own, and all that the modem says is of it.
func TestAnotherNetwork(t *testing.T) {
	e := start(t, parse(t, `network: {plmn: "26201", operator: Telekom.de, tac: 0xD1E, cell: 0x1A2D001, band: 3, earfcn: 1300, zone: "-03:30"}`))
	u := ttytest.Open(t, e.Modem(0).ATPath())
	u.AT("ATE0")
	u.Registered() // at home: it waits for the status 1
	for _, tt := range []struct{ command, want string }{
		{"AT+CIMI", "\r\n262011234567890\r\n"},
		{"AT+COPS?", `+COPS: 0,0,"Telekom.de",7`}, {"AT+COPS=3,2;+COPS?", `+COPS: 0,2,"26201",7`},
		{"AT+COPS=?", `+COPS: (2,"Telekom.de","Telekom.de","26201",7)`}, {"AT+COPN", `+COPN: "26201","Telekom.de"`},
		{`AT+COPS=1,2,"26201"`, "OK"}, {`AT+COPS=1,2,"44010"`, "+CME ERROR: 30"}, {"AT+COPS=0", "OK"},
		{"AT+CREG=2;+CREG?", `+CREG: 2,1,"0D1E","1A2D001",7`}, {"AT+CEREG=2;+CEREG?", `+CEREG: 2,1,"0D1E","1A2D001",7`},
		{"AT+QNWINFO", `+QNWINFO: "FDD LTE","26201","LTE BAND 3",1300`}, {`AT+QENG="servingcell"`, `"LTE","FDD",262,01,1A2D001,`},
		{"AT+CRSM=176,28514,0,0,5", `"62F2104000"`}, {"AT+CCLK?", `-14"`}, {"AT+QLTS", `-14,0"`},
		{"AT+CTZR=2;+CMGF=1;+CNMI=2,1", "OK"},
	} {
		u.AwaitAnswer(tt.command, tt.want)
	}
	u.Send("AT+CGATT=0;+CGATT=1\r")
	u.Await(`+CTZE: "-14",0,"`)
	if status, text := ask(t, e, "POST", "/v1/sims/262011234567890/sms", `{"from":"0312345678","text":"Guten Tag"}`); status != 202 {
		t.Fatalf("a message to the SIM: %d %s", status, text)
	}
	u.Await("+CMTI: ")
	if got := u.AT("AT+CMGR=0"); !strings.Contains(got, `-14"`) {
		t.Errorf("the message was sent at %q", got)
	}
	if got := e.Modem(0).Status(); got.Operator != "Telekom.de" || got.Registration != 1 {
		t.Errorf("status %+v", got)
	}
}

// TestRoamingSIM is a SIM of another network than the one that is there, beside one that leaves its IMSI out.
func TestRoamingSIM(t *testing.T) {
	e := start(t, parse(t, `{modems: 2, network: {plmn: 310260, operator: T-Mobile}, sims: [{imsi: 440101234567890}, {}]}`))
	for n, want := range []struct{ imsi, stat string }{{"440101234567890", "+CEREG: 0,5"}, {"310260234567891", "+CEREG: 0,1"}} {
		u := ttytest.Open(t, e.Modem(n).PPPPath())
		u.AwaitAnswer("AT+CEREG?", want.stat)
		u.AwaitAnswer("AT+CIMI", want.imsi)
		u.AwaitAnswer("AT+CIND?", fmt.Sprintf("+CIND: 5,5,1,0,%d,", 1-n))
	}
}

// TestSIMKeys goes from the PIN to PUK2 with the keys of a file, and reads what else the card has.
func TestSIMKeys(t *testing.T) {
	e := start(t, parse(t, `sims: [{pin: 4711, puk: 01234567, pin2: 0815, puk2: 76543210, spn: Lift AG, data_only: true}]`))
	u := ttytest.Open(t, e.Modem(0).ATPath())
	for _, tt := range []struct{ command, want string }{
		{"ATE0", "OK"}, {`AT+CPIN="1234"`, "+CME ERROR: 16"}, {`AT+CPIN="1234"`, "+CME ERROR: 16"}, {`AT+CPIN="1234"`, "+CME ERROR: 12"}, {"AT+CPIN?", "SIM PUK"},
		{`AT+CPIN="12345678","4712"`, "+CME ERROR: 16"}, {`AT+CPIN="01234567","4712"`, "OK"}, {`AT+CPWD="SC","4712","4711"`, "OK"},
		{`AT+CPWD="P2","1234","0000"`, "+CME ERROR: 16"}, {`AT+CPWD="P2","0815","1111"`, "OK"}, {`AT+CPWD="P2","0815","0000"`, "+CME ERROR: 16"},
		{`AT+CPWD="P2","0815","0000"`, "+CME ERROR: 16"}, {`AT+CPWD="P2","0815","0000"`, "+CME ERROR: 18"},
		{`AT+CPIN="12345678","2222"`, "+CME ERROR: 16"}, {`AT+CPIN="76543210","2222"`, "OK"},
		{"AT+CRSM=176,28486,0,0,17", `"014C696674204147FFFFFFFFFFFFFFFFFF"`},
	} {
		if got := u.AT(tt.command); !strings.Contains(got, tt.want) {
			t.Fatalf("%s gave %q, want %q", tt.command, got, tt.want)
		}
	}
	u.Registered()
	u.AwaitAnswer("AT+CREG?", "+CREG: 0,3")
	u.AwaitAnswer("AT+QSPN", `"Lift AG",0,"44010"`)
}

func TestCellErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"partly filled", Config{Cell: dce.Cell{PLMN: "26201", Operator: "Telekom.de"}}, "network: TAC 0000"},
		{"PUK", Config{Cards: []Card{{PUK: "1"}}}, "modem 0: SIM 440101234567890: PUK: 8 digits are allowed"},
		{"PUK of a file", parse(t, "sims: [{puk: 1}]"), "modem 0: SIM 440101234567890: PUK: 8 digits are allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.cfg); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestSampleSubscribers are the network's own, also for a modem beyond the list, whose SIM the network does not know.
func TestSampleSubscribers(t *testing.T) {
	cell := dce.DefaultCell
	cell.PLMN = "26201"
	e, err := New(Config{Cell: cell, Modems: 2})
	if err != nil {
		t.Fatal(err)
	}
	for n, s := range e.Core().Subscribers() {
		want := core.DefaultSubscriber(n)
		want.IMSI = fmt.Sprintf("26201123456789%d", n)
		if s.Subscriber != want {
			t.Errorf("subscriber %d: %+v, want %+v", n, s.Subscriber, want)
		}
	}
	if e, err = New(Config{Cell: cell, Subscribers: []core.Subscriber{}}); err != nil || e.Modem(0).Status().IMSI != "262011234567890" {
		t.Errorf("the SIM of no subscriber: %v", err)
	}
}
