package dce

import (
	"fmt"
	"strings"
	"testing"
)

func cmeIs(n int) string { return fmt.Sprintf("\r\n+CME ERROR: %d\r\n", n) }

// TestPhonebook asks as gnokii, oFono and python-gsmmodem do, and then what they do not ask.
func TestPhonebook(t *testing.T) {
	u := newBench(t, nil).ready("at")
	for _, tt := range [][2]string{
		{"AT+CPBS=?", ok(`+CPBS: ("SM","ME","ON")`)}, {"AT+CPBS?", ok(`+CPBS: "SM",0,250`)}, {`AT+CPBS="XX"`, cmeIs(50)}, {`AT+CPBS="SM","1234"`, cmeIs(50)},
		{"AT+CPBR=?", ok("+CPBR: (1-250),20,14")}, {"AT+CPBF=?", ok("+CPBF: 20,14")}, {"AT+CPBW=?", ok("+CPBW: (1-250),20,(129,145),14")},
		{"AT+CPBR=1", done}, {"AT+CPBR=1,250", done}, {"AT+CPBR=0", cmeIs(21)}, {"AT+CPBR=251", cmeIs(21)}, {"AT+CPBR=1,251", cmeIs(21)}, {"AT+CPBR=2,1", cmeIs(21)}, {"AT+CPBR=1,2,3", cmeIs(50)}, {`AT+CPBF=""`, done},

		{`AT+CPBW=2,"+819012345678",145,"Alice"`, done}, {"AT+CPBR=2", ok(`+CPBR: 2,"+819012345678",145,"Alice"`)},
		{`AT+CPBW=,"110",129,"Bob"`, done}, {"AT+CPBR=1", ok(`+CPBR: 1,"110",129,"Bob"`)},
		{`AT+CPBW=,"*100#"`, done}, {"AT+CPBR=1,250", ok("+CPBR: 1,\"110\",129,\"Bob\"\r\n+CPBR: 2,\"+819012345678\",145,\"Alice\"\r\n+CPBR: 3,\"*100#\",129,\"\"")},
		{`AT+CPBW=250,"",,"only a text"`, done}, {"AT+CPBR=250", ok(`+CPBR: 250,"",129,"only a text"`)}, {"AT+CPBS?", ok(`+CPBS: "SM",4,250`)},
		{`AT+CPBF="A"`, ok(`+CPBF: 2,"+819012345678",145,"Alice"`)}, {`AT+CPBF="lice"`, done}, {"AT+CPBF", "\r\nERROR\r\n"}, {"AT+CPBF=", cmeIs(50)}, {`AT+CPBF="A","B"`, cmeIs(50)},

		{`AT+CPBW=1,"1",161`, cmeIs(50)}, {`AT+CPBW=1,"1",137`, cmeIs(50)}, {`AT+CPBW=1,"1",x`, cmeIs(50)}, {"AT+CPBW=", cmeIs(50)}, {`AT+CPBW=1,"1",129,"a","b"`, cmeIs(50)},
		{`AT+CPBW=0,"1"`, cmeIs(21)}, {`AT+CPBW=251,"1"`, cmeIs(21)}, {`AT+CPBW=x,"1"`, cmeIs(21)},
		{`AT+CPBW=1,"1",129,"fourteen chars"`, done}, {`AT+CPBW=1,"1",129,"fifteen letters"`, cmeIs(24)},
		{`AT+CPBW=1,"12345678901234567890"`, done}, {`AT+CPBW=1,"123456789012345678901"`, cmeIs(26)}, {`AT+CPBW=1,"call me"`, cmeIs(27)},
		{"AT+CPBR=1", ok(`+CPBR: 1,"12345678901234567890",129,""`)},
		{"AT+CPBW=1", done}, {"AT+CPBW=1", done}, {"AT+CPBR=1", done}, {"AT+CPBS?", ok(`+CPBS: "SM",3,250`)},

		{`AT+CSCS="UCS2"`, done}, {`AT+CPBR=2`, ok(`+CPBR: 2,"+819012345678",145,"0041006C006900630065"`)}, {`AT+CPBW=1,"110",129,"8B665BDF"`, done}, {`AT+CPBF="8B66"`, ok(`+CPBF: 1,"110",129,"8B665BDF"`)},
		{`AT+CPBW=1,"1",129,"3042304430463048304A304B304D"`, cmeIs(24)}, {`AT+CPBW=1,"110",129,"304230443046304800FF00E9"`, done}, {`AT+CPBR=1`, ok(`+CPBR: 1,"110",129,"304230443046304800FF00E9"`)},
		{`AT+CPBW=1,"1",129,"xyz"`, cmeIs(25)}, {`AT+CPBF="xyz"`, cmeIs(25)}, {`AT+CSCS="IRA"`, done}, {"AT+CPBR=1", ok(`+CPBR: 1,"110",129,"??????"`)}, {`AT+CPBW=1,"1",129,"brackets: [[]]"`, cmeIs(24)},

		{`AT+CPBS="ME"`, done}, {"AT+CPBS?", ok(`+CPBS: "ME",0,250`)}, {`AT+CPBW=1,"1",,"here"`, done}, {"AT+CPBR=1,250", ok(`+CPBR: 1,"1",129,"here"`)}, {`AT+CPBF="h"`, ok(`+CPBF: 1,"1",129,"here"`)},
		{`AT+CPBS="ON"`, done}, {"AT+CPBS?", ok(`+CPBS: "ON",1,1`)}, {"AT+CPBR=?", ok("+CPBR: (1-1),20,14")}, {"AT+CPBR=1", ok(`+CPBR: 1,"+812000000000",145,""`)}, {"AT+CPBR=2", cmeIs(21)},
		{`AT+CPBW=,"1"`, cmeIs(20)}, {`AT+CPBW=1,"0901234",129,"me"`, done}, {"AT+CNUM", ok(`+CNUM: ,"0901234",129`)}, {"AT+CPBW=1;+CNUM", done}, {`AT+CPBW=,"+8190"`, done}, {"AT+CNUM", ok(`+CNUM: ,"+8190",145`)},
	} {
		u.expect(tt[0], tt[1])
	}
}

// TestPhonebookFull fills the SIM's phonebook, by the card's own files at the end: they are one.
func TestPhonebookFull(t *testing.T) {
	u := newBench(t, nil).ready("at")
	for i := range phonebookSize - 1 {
		u.expect(fmt.Sprintf(`AT+CPBW=,"%d"`, i), done)
	}
	u.expect("AT+CRSM=192,28474", ok(`+CRSM: 144,0,"621282054221001CFA83026F3A8A010580021B58"`))
	u.expect("AT+CRSM=178,28474,250,4,28", ok(`+CRSM: 144,0,"`+strings.Repeat("F", 56)+`"`))
	u.expect(`AT+CRSM=220,28474,250,4,28,"426F62FFFFFFFFFFFFFFFFFFFFFF0391180900FFFFFFFFFFFFFFFFFF"`, ok(`+CRSM: 144,0,""`))
	u.expect("AT+CPBR=250", ok(`+CPBR: 250,"+8190",145,"Bob"`))
	u.expect(`AT+CPBW=,"1"`, cmeIs(20))
	u.expect("AT+CPBW=7", done)
	u.expect(`AT+CPBW=,"117"`, done)
	u.expect("AT+CPBR=7", ok(`+CPBR: 7,"117",129,""`))
	u.expect("AT+CRSM=178,28474,7,4,28", ok(`+CRSM: 144,0,"`+strings.Repeat("F", 28)+`038111F7`+strings.Repeat("F", 20)+`"`))
}

// TestPhonebookLocked: it is the card's, and outlives a reset, which chooses it again.
func TestPhonebookLocked(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect(`AT+CPBW=3,"1"`, done)
	u.expect(`AT+CPBS="ME";+CPBW=3,"2"`, done)
	b.Reset()
	u.awaitBoot(b)
	u.send("ATE0\r")
	u.await(done)
	u.expect("AT+CPBS?", ok(`+CPBS: "SM",1,250`))
	u.expect(`AT+CPBR=3;+CPBS="ME";+CPBR=3`, ok(`+CPBR: 3,"1",129,""`)[:len(ok(`+CPBR: 3,"1",129,""`))-len(done)]+ok(`+CPBR: 3,"2",129,""`))
	if err := b.LockSIM("1234"); err != nil {
		t.Fatal(err)
	}
	u.await("+CPIN: SIM PIN\r\n")
	for _, command := range []string{"AT+CPBS?", `AT+CPBS="ME"`, "AT+CPBR=1", `AT+CPBF="a"`, `AT+CPBW=1,"1"`} {
		u.expect(command, cmeIs(11))
	}
	u.expect("AT+CPBS=?", ok(`+CPBS: ("SM","ME","ON")`))
}

// FuzzEntry reads what anybody may have written, and reads what it writes.
func FuzzEntry(f *testing.F) {
	f.Add([]byte(strings.Repeat("\xff", entryRecord)))
	f.Add([]byte("Bob\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x03\x91\x18\x09\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x0b\x81\xba\xdc\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != entryRecord {
			return
		}
		record, wrong := parseEntry(b).record()
		if wrong != 0 {
			return // a text in another coding may need more room
		}
		again, wrong := parseEntry(record).record()
		if wrong != 0 || string(again) != string(record) {
			t.Errorf("%x became %x, then %x", b, record, again)
		}
	})
}

// The card holds whole numbers alone, and a modem whose card could not is not made.
func TestNumberOfCard(t *testing.T) {
	for number, want := range map[string]bool{
		"": true, "+819012345678": true, "12345678901234567890": true, "123456789012345678901": false, "81-9012-3456": false, "tel:1": false, "++1": false,
	} {
		sim := goodSIM
		sim.MSISDN = number
		if _, err := New(Config{Network: &fakeNetwork{}, SIM: sim}); (err == nil) != want {
			t.Errorf("%q: %v", number, err)
		}
	}
	if e := parseEntry(make([]byte, entryRecord-1)); e != (entry{}) {
		t.Errorf("a short record is %+v", e)
	}
}
