package dce

import (
	"fmt"
	"testing"
)

// TestFullStorage is the indicator smsfull of TS 27.007 section 8.9: the storage for what is received is full, or no longer.
func TestFullStorage(t *testing.T) {
	b, u := messageUser(t, nil)
	u.expect(`AT+CMGF=1;+CPMS="SM","SM","SM";+CMER=3,0,0,2`, ok("+CPMS: 0,50,0,50,0,50"))
	for i := range 49 {
		u.enter("AT+CMGW", "x\x1a", ok(fmt.Sprintf("+CMGW: %d", i)))
	}
	u.expect("AT+CIND?", ok("+CIND: 5,5,1,0,0,0,0"))
	u.expect("AT+CIND=1,0,1,1,1,1,1", "\r\n+CME ERROR: 3\r\n")
	b.arrives("the last that fits")
	u.await("\r\n+CMTI: \"SM\",49\r\n\r\n+CIEV: 6,1\r\n")
	u.expect("AT+CIND?", ok("+CIND: 5,5,1,0,0,1,0"))
	u.expect("AT+CMGD=0", "\r\nOK\r\n\r\n+CIEV: 6,0\r\n")
	u.enter("AT+CMGW", "x\x1a", ok("+CMGW: 0")+"\r\n+CIEV: 6,1\r\n")
	u.expect(`AT+CPMS="SM","SM","ME"`, ok("+CPMS: 50,50,50,50,0,255")+"\r\n+CIEV: 6,0\r\n")
	u.expect(`AT+CPMS="SM","SM","SM"`, ok("+CPMS: 50,50,50,50,50,50")+"\r\n+CIEV: 6,1\r\n")
	u.expect("AT&F;E0", "\r\nOK\r\n\r\n+CIEV: 6,0\r\n") // which is +CPMS="ME","ME","ME"
}
