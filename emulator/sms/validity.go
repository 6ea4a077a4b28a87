package sms

import (
	"time"
)

// ValidityFormat is TP-Validity-Period-Format (TS 23.040 section 9.2.3.3).
type ValidityFormat byte

// The formats, as they stand in bits 4 and 3 of the first octet.
const (
	NoValidity       ValidityFormat = 0
	EnhancedValidity ValidityFormat = 1
	RelativeValidity ValidityFormat = 2
	AbsoluteValidity ValidityFormat = 3
)

// Validity is TP-Validity-Period: how long the service centre tries. The field of the format counts.
type Validity struct {
	Format   ValidityFormat
	Relative byte
	Absolute time.Time
	Enhanced [7]byte
}

func (v Validity) append(b []byte) ([]byte, error) {
	switch v.Format {
	case RelativeValidity:
		return append(b, v.Relative), nil
	case AbsoluteValidity:
		return appendTime(b, v.Absolute)
	case EnhancedValidity:
		return append(b, v.Enhanced[:]...), nil
	}
	return b, nil
}

func (r *reader) validity(f ValidityFormat) Validity {
	v := Validity{Format: f}
	switch f {
	case RelativeValidity:
		v.Relative = r.octet("validity period")
	case AbsoluteValidity:
		v.Absolute = r.time("validity period")
	case EnhancedValidity:
		copy(v.Enhanced[:], r.take(len(v.Enhanced), "validity period"))
	}
	return v
}

// Until gives when a message that was accepted at some time lapses; ok is false when it says nothing about that.
func (v Validity) Until(accepted time.Time) (t time.Time, ok bool) {
	switch v.Format {
	case RelativeValidity:
		return accepted.Add(relativePeriod(v.Relative)), true
	case AbsoluteValidity:
		return v.Absolute, true
	case EnhancedValidity:
		switch v.Enhanced[0] & 7 { // section 9.2.3.12.3
		case 1:
			return accepted.Add(relativePeriod(v.Enhanced[1])), true
		case 2:
			return accepted.Add(time.Duration(v.Enhanced[1]) * time.Second), true
		case 3:
			digits := func(o byte) time.Duration { return time.Duration(o&0xf)*10 + time.Duration(o>>4) }
			return accepted.Add(digits(v.Enhanced[1])*time.Hour + digits(v.Enhanced[2])*time.Minute + digits(v.Enhanced[3])*time.Second), true
		}
	}
	return time.Time{}, false
}

// relativePeriod is the table of section 9.2.3.12.1.
func relativePeriod(v byte) time.Duration {
	n := time.Duration(v)
	switch {
	case v <= 143:
		return (n + 1) * 5 * time.Minute
	case v <= 167:
		return 12*time.Hour + (n-143)*30*time.Minute
	case v <= 196:
		return (n - 166) * 24 * time.Hour
	}
	return (n - 192) * 7 * 24 * time.Hour
}
