package dce

import "fmt"

// Signal is what the radio receives.
type Signal struct {
	RSSI int `json:"rssi"` // dBm
	RSRP int `json:"rsrp"` // dBm
	RSRQ int `json:"rsrq"` // dB
	SINR int `json:"sinr"` // dB
}

// DefaultSignal is the example of +QCSQ in Quectel's application notes: -52,-81,195,-10; +CSQ of it is 30.
var DefaultSignal = Signal{RSSI: -52, RSRP: -81, RSRQ: -10, SINR: 19}

// What a modem can report: RSSI and RSRP of TS 27.007 sections 8.5 and 8.69 with their open ends, RSRQ likewise, SINR as modems round it.
const (
	MinRSSI, MaxRSSI = -113, -51
	MinRSRP, MaxRSRP = -141, -44
	MinRSRQ, MaxRSRQ = -20, -3
	MinSINR, MaxSINR = -20, 30
)

// Validate tells which value no modem can report.
func (s Signal) Validate() error {
	for _, v := range []struct {
		name    string
		is      int
		lo, hi  int
		measure string
	}{
		{"rssi", s.RSSI, MinRSSI, MaxRSSI, "dBm"}, {"rsrp", s.RSRP, MinRSRP, MaxRSRP, "dBm"},
		{"rsrq", s.RSRQ, MinRSRQ, MaxRSRQ, "dB"}, {"sinr", s.SINR, MinSINR, MaxSINR, "dB"},
	} {
		if v.is < v.lo || v.is > v.hi {
			return fmt.Errorf("%s %d: %d to %d %s are allowed", v.name, v.is, v.lo, v.hi, v.measure)
		}
	}
	return nil
}

// SetSignal changes what the radio receives.
func (m *Modem) SetSignal(s Signal) {
	m.mu.Lock()
	m.signal = s
	m.mu.Unlock()
	m.tellIndicators()
}

// csq is <rssi> of +CSQ (TS 27.007 section 8.5).
func (s Signal) csq() int { return min(max((s.RSSI+113)/2, 0), 31) }

// rsrp and rsrq are those of +CESQ (section 8.69).
func (s Signal) rsrp() int { return min(max(s.RSRP+141, 0), 97) }
func (s Signal) rsrq() int { return min(max(2*s.RSRQ+40, 0), 34) }

// receivesLocked tells whether there is a signal to report.
func (m *Modem) receivesLocked() bool { return m.functions == 1 && !m.booting && !m.reg.lost }
