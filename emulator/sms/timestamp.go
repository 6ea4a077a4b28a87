package sms

import (
	"fmt"
	"time"
)

const quarter = 15 * time.Minute

// appendTime adds a time stamp: seven octets of swapped digits, the last the time zone in quarters of an hour (TS 23.040 section 9.2.3.11).
func appendTime(b []byte, t time.Time) ([]byte, error) {
	if t.Year() < 2000 || t.Year() > 2099 {
		return nil, fmt.Errorf("time %s: years 2000 to 2099 can be sent", t.Format(time.DateTime))
	}
	_, offset := t.Zone()
	quarters := offset / int(quarter/time.Second)
	sign := byte(0)
	if quarters < 0 {
		quarters, sign = -quarters, 0x08
	}
	for _, n := range []int{t.Year() % 100, int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second()} {
		b = append(b, byte(n%10)<<4|byte(n/10))
	}
	return append(b, byte(quarters%10)<<4|byte(quarters/10)|sign), nil
}

// time reads a time stamp. Times that no clock shows are refused.
func (r *reader) time(what string) time.Time {
	b := r.take(7, what)
	if b == nil {
		return time.Time{}
	}
	var n [7]int
	for i, o := range b {
		low := o & 0xf
		if i == 6 {
			low &= 7 // the sign is beside it
		}
		if low > 9 || o>>4 > 9 {
			r.fail("%s: % x are no digits", what, b)
			return time.Time{}
		}
		n[i] = int(low)*10 + int(o>>4)
	}
	if b[6]&0x08 != 0 {
		n[6] = -n[6]
	}
	t := time.Date(2000+n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.FixedZone("", n[6]*int(quarter/time.Second)))
	if t.Month() != time.Month(n[1]) || t.Day() != n[2] || t.Hour() != n[3] || t.Minute() != n[4] || t.Second() != n[5] {
		r.fail("%s: % x is no time", what, b)
		return time.Time{}
	}
	return t
}
