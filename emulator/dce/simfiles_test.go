package dce

import (
	"strings"
	"testing"
)

// TestSIMFiles reads what programs read, by +CRSM and by the card's own commands.
func TestSIMFiles(t *testing.T) {
	b := newBench(t, func(c *Config) { c.SIM.SPN = "SORACOM" })
	u := b.ready("at")
	for _, tt := range [][2]string{
		{"AT+CRSM=176,12258,0,0,10", `+CRSM: 144,0,"981801000000000000F2"`},
		{"AT+CRSM=176,28423,0,0,9", `+CRSM: 144,0,"084904012143658709"`},
		{"AT+CRSM=176,28486,0,0,17", `+CRSM: 144,0,"01534F5241434F4DFFFFFFFFFFFFFFFFFF"`},
		{"AT+CRSM=176,28589,0,0,4", `+CRSM: 144,0,"00000002"`},
		{"AT+CRSM=176,28589,0,2,2", `+CRSM: 144,0,"0002"`},
		{"AT+CRSM=176,28589,0,0,9", `+CRSM: 108,4,""`},
		{"AT+CRSM=176,28589,0,9,1", `+CRSM: 107,0,""`},
		{"AT+CRSM=176,28599,0,0,0", `+CRSM: 105,129,""`}, // EF_ECC has records
		{"AT+CRSM=178,28599,1,4,3", `+CRSM: 144,0,"11F2FF"`},
		{"AT+CRSM=178,28599,9,4,3", `+CRSM: 106,131,""`},
		{"AT+CRSM=178,28480,1,4,28", `+CRSM: 144,0,"FFFFFFFFFFFFFFFFFFFFFFFFFFFF0791180200000000F`},
		{"AT+CRSM=178,28589,1,4,1", `+CRSM: 105,129,""`},
		{"AT+CRSM=176,28514,0,0,5", `+CRSM: 144,0,"44F0014000"`},
		{"AT+CRSM=192,28589", `+CRSM: 144,0,"620F8202412183026FAD8A010580020004"`},
		{"AT+CRSM=192,28599", `+CRSM: 144,0,"6212820542210014018302`},
		{"AT+CRSM=242", `+CRSM: 144,0,""`},
		{"AT+CRSM=176,1", `+CRSM: 106,130,""`},
		{`AT+CRSM=214,28539,0,0,3,"440110"`, `+CRSM: 144,0,""`},
		{"AT+CRSM=176,28539,0,0,3", `+CRSM: 144,0,"440110"`},
		{`AT+CRSM=214,28589,0,0,1,"01"`, `+CRSM: 105,130,""`},
		{`AT+CRSM=214,28539,0,0,0`, `+CRSM: 103,0,""`},
		{`AT+CRSM=214,28539,0,0,12,"440110"`, `+CRSM: 103,0,""`},
		{`AT+CRSM=220,28480,1,4,28,"AABB"`, `+CRSM: 103,0,""`}, {`AT+CRSM=220,28480,1,4,2,"AABB"`, `+CRSM: 103,0,""`},
		{"AT+CRSM=178,28480,1,4,28", `+CRSM: 144,0,"FFFFFFFFFFFFFFFFFFFFFFFFFFFF0791180200000000F`},
		{`AT+CRSM=220,28480,1,4,28,"41FFFFFFFFFFFFFFFFFFFFFFFFFF0791180200000000FFFFFFFFFFFF"`, `+CRSM: 144,0,""`},
		{"AT+CRSM=178,28480,1,4,28", `+CRSM: 144,0,"41FFFFFFFFFFFFFFFFFFFFFFFFFF0791180200000000F`},
		{"AT+CRSM=1,28539", "+CME ERROR: 4"}, {"AT+CRSM=x", "+CME ERROR: 50"}, {`AT+CRSM=176,1,0,0,0,"z"`, "+CME ERROR: 50"},

		{`AT+CSIM=14,"00A40004022FE2"`, `+CSIM: 4,"6111"`},
		{`AT+CSIM=10,"00C0000011"`, `+CSIM: 38,"620F8202412183022FE28A01058002000A9000"`},
		{`AT+CSIM=10,"00C0000011"`, `+CSIM: 4,"6985"`},
		{`AT+CSIM=10,"00B000000A"`, `+CSIM: 24,"981801000000000000F29000"`},
		{`AT+CSIM=14,"00A4000C026F46"`, `+CSIM: 4,"9000"`},
		{`AT+CSIM=10,"00B0000108"`, `+CSIM: 20,"534F5241434F4DFF9000"`},
		{`AT+CSIM=14,"A0A40000027FFF"`, `+CSIM: 4,"6E00"`}, {`AT+CSIM=14,"A0A40000023F00"`, `+CSIM: 4,"6E00"`},
		{`AT+CSIM=14,"00A4000C021234"`, `+CSIM: 4,"6A82"`},
		{`AT+CSIM=14,"00A4000C026F40"`, `+CSIM: 4,"9000"`},
		{`AT+CSIM=14,"00DC010404AABB"`, `+CSIM: 4,"6700"`}, {`AT+CSIM=18,"00DC010402AABB0000"`, `+CSIM: 4,"6700"`},
		{`AT+CSIM=10,"00DC01041C"`, `+CSIM: 4,"6700"`}, {`AT+CSIM=10,"0020000108"`, `+CSIM: 4,"6700"`},
		{`AT+CSIM=10,"00B201041C"`, `+CSIM: 60,"41FFFFFFFFFFFFFFFFFFFFFFFFFF0791180200000000F`},
		{`AT+CSIM=14,"00A4000C026F7B"`, `+CSIM: 4,"9000"`}, {`AT+CSIM=16,"00D6000003440110"`, `+CSIM: 4,"9000"`}, {`AT+CSIM=16,"00A40004022FE200"`, `+CSIM: 4,"6111"`},
		{`AT+CSIM=8,"00A4000C"`, `+CSIM: 4,"6700"`},
		{`AT+CSIM=24,"00A4040407A0000000871002"`, `+CSIM: 4,"6109"`},
		{`AT+CSIM=10,"0070000001"`, `+CSIM: 6,"019000"`}, {`AT+CSIM=10,"0070800100"`, `+CSIM: 4,"9000"`},
		{`AT+CSIM=8,"00F20000"`, `+CSIM: 4,"9000"`}, {`AT+CSIM=8,"F0F20000"`, `+CSIM: 4,"6E00"`}, {`AT+CSIM=8,"00FF0000"`, `+CSIM: 4,"6D00"`},
		{`AT+CSIM=10,"0020000100"`, `+CSIM: 4,"63C3"`}, {`AT+CSIM=10,"0020008100"`, `+CSIM: 4,"63C3"`}, {`AT+CSIM=10,"002C000100"`, `+CSIM: 4,"63CA"`}, {`AT+CSIM=10,"002C008100"`, `+CSIM: 4,"63CA"`},
		{`AT+CSIM=9,"0020000100"`, "+CME ERROR: 50"}, {`AT+CSIM=2,"00"`, "+CME ERROR: 50"},

		{`AT+CSIM=26,"002000010831323334FFFFFFFF"`, `+CSIM: 4,"6984"`}, // the lock is off
		{`AT+CSIM=26,"002800010831323334FFFFFFFF"`, `+CSIM: 4,"9000"`}, // on, with 1234
		{`AT+CLCK="SC",2`, "+CLCK: 1"},
		{`AT+CSIM=26,"002000010831313131FFFFFFFF"`, `+CSIM: 4,"63C2"`},
		{"AT+CPINR", "+CPINR: SIM PIN,2,3"},
		{`AT+CSIM=42,"002400011031323334FFFFFFFF35363738FFFFFFFF"`, `+CSIM: 4,"9000"`}, // 5678 from now on
		{`AT+CSIM=26,"002600010835363738FFFFFFFF"`, `+CSIM: 4,"9000"`},
		{`AT+CPINR="SIM PUK"`, "+CPINR: SIM PUK,10,10"}, {`AT+CPINR="X"`, "+CME ERROR: 50"},
		{`AT+CSIM=26,"002000810831313131FFFFFFFF"`, `+CSIM: 4,"6982"`},
		{`AT+CSIM=42,"002C000110"+"x"`, "ERROR"},
		{`AT+CSIM=42,"002C00011031323334353637383132333435363738"`, `+CSIM: 4,"9000"`}, // the PUK 12345678
	} {
		u.send(tt[0] + "\r")
		if got := u.await("\r\n"); got != "\r\n" {
			t.Fatalf("%q", got)
		}
		if got := u.await("\r\n"); !strings.HasPrefix(got, tt[1]) {
			t.Errorf("%s gave %q, want %q", tt[0], got, tt[1])
		}
		if !strings.HasPrefix(tt[1], "+CME") && tt[1] != "ERROR" {
			u.await("OK\r\n")
		}
	}
}

func FuzzAPDU(f *testing.F) {
	f.Add([]byte{0, 0xa4, 0, 4, 2, 0x2f, 0xe2})
	f.Add([]byte{0, 0xb0, 0, 0, 10})
	f.Add([]byte{0, 0x2c, 0, 1, 16, '1', '2', '3', '4', '5', '6', '7', '8', '1', '2', '3', '4', 0xff, 0xff, 0xff, 0xff})
	m, err := New(Config{Network: &fakeNetwork{}, SIM: goodSIM})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 4 {
			return
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if answer, sw := m.apduLocked(b); len(answer) > 256 || sw < 0x6000 {
			t.Errorf("%x gave %x %04x", b, answer, uint16(sw))
		}
	})
}
