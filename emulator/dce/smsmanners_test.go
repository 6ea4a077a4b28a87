package dce

import (
	"strings"
	"testing"
	"time"
)

// TestMessageManners are those of a make that has others than the default one: storages and their names, what is said of a message that is
// read, and of the places.
func TestMessageManners(t *testing.T) {
	p, err := LoadPersonality("simcom-sim7600")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2022, 8, 9, 8, 35, 14, 0, time.UTC)
	b, u := messageUser(t, func(c *Config) { c.Personality, c.Now = p, func() time.Time { return at } })
	u.expect("AT+CMEE=1;+CMGF=1", done)
	for _, tt := range [][2]string{
		{"AT+CPMS=?", ok(`+CPMS: ("ME","MT","SM","SR"),("ME","MT","SM"),("ME","SM")`)},
		{"AT+CPMS?", ok(`+CPMS: "SM",0,50,"SM",0,50,"SM",0,50`)},
		{`AT+CPMS="MT","MT","MT"`, cmsIs("302")},
		{`AT+CPMS="ME","ME","ME"`, ok("+CPMS: 0,23,0,23,0,23")},
		{`AT+CPMS="SM","SM","SM"`, ok("+CPMS: 0,50,0,50,0,50")},
		{"AT+CMGR=0", done},
		{"AT+CMGD=?", ok("+CMGD: (),(0-4)")},
	} {
		u.expect(tt[0], tt[1])
	}
	u.expect(`AT+CCLK="22/08/09,14:05:14+22"`, done)
	u.enter(`AT+CMGW="7490457",129,"REC READ"`, "Recharge\x1a", ok("+CMGW: 0"))
	read := "\"REC READ\",\"7490457\",\"\",\"22/08/09,14:05:14+22\"\r\nRecharge"
	u.expect("AT+CMGR=0", ok("+CMGR: "+read))
	u.expect(`AT+CMGL="ALL"`, ok("+CMGL: 0,"+read))
	b.arrives("hello")
	u.await("\r\n+CMTI: \"SM\",1\r\n")
	u.expect("AT+CMGD=?", ok("+CMGD: (0,1),(0-4)"))
	u.expect("AT+CMGD=0;+CMGD=?", ok("+CMGD: (1),(0-4)"))
	u.expect("AT+CNMI=2,2", done)
	b.arrives("direct")
	if got := u.await("\r\ndirect\r\n"); !strings.HasPrefix(got, "\r\n+CMT: \"SORACOM\",,\"") { // not stored, not looked up
		t.Errorf("%q", got)
	}
}
