package dce

import "testing"

// TestPowerSaving: what +CPSMS asks for is granted, and +CEREG tells of it on the levels that do.
func TestPowerSaving(t *testing.T) {
	p, err := LoadPersonality("quectel-bg96")
	if err != nil {
		t.Fatal(err)
	}
	u := newBench(t, func(c *Config) { c.Personality = p }).ready("at")
	plain, saving := `"1F00","79D903",8`, `"1F00","79D903",8,,,"00100001","10100101"`
	for _, tt := range [][2]string{
		{"AT+CEREG=4;+CEREG?", ok("+CEREG: 4,1," + plain)},
		{`AT+CPSMS=1,,,"1010","xx"`, "\r\n+CME ERROR: 50\r\n"},
		{`AT+CPSMS=1,,,"10100101","00100001","0"`, "\r\n+CME ERROR: 50\r\n"},
		{`AT+CPSMS=3`, "\r\n+CME ERROR: 50\r\n"},
		{`AT+CPSMS=1,,,"10100101","00100001"`, done},
		{"AT+CEREG?", ok("+CEREG: 4,1," + saving)},
		{"AT+CEREG=2;+CEREG?", ok("+CEREG: 2,1," + plain)},
		{"AT+CEREG=4;+CFUN=4", "\r\nOK\r\n\r\n+CEREG: 0\r\n"},
	} {
		u.expect(tt[0], tt[1])
	}
	u.send("AT+CFUN=1\r")
	u.await("+CEREG: 1," + saving + "\r\n")
	u.expect("AT+CPSMS=1;+CEREG?", ok(`+CEREG: 4,1,"1F00","79D903",8,,,"00000000","00000000"`)) // the maker's
	u.expect("AT+CPSMS=0;+CEREG?", ok("+CEREG: 4,1,"+plain))
}
