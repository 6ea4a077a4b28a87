package modem

import (
	"fmt"
	"math"
	"strconv"
)

// set notes figures in dBm and dB, unless they cannot be.
func (s *Signal) set(rssi, rsrp, rsrq, sinr float64) error {
	round := func(v float64) *int { n := int(math.Round(v)); return &n }
	if rsrp < -150 || rsrp > -20 || rsrq < -40 || rsrq > 20 || sinr < -40 || sinr > 60 || rssi < -150 || rssi > 0 {
		return fmt.Errorf("RSSI %.0f dBm, RSRP %.0f dBm, RSRQ %.0f dB and SINR %.0f dB are no signal", rssi, rsrp, rsrq, sinr)
	}
	s.RSSI, s.RSRP, s.RSRQ, s.SINR = round(rssi), round(rsrp), round(rsrq), round(sinr)
	return nil
}

// figures reads the values from place on as numbers.
func figures(f []string, place int) ([4]float64, error) {
	var out [4]float64
	for i := range out {
		v, err := strconv.ParseFloat(f[place+i], 64)
		if err != nil || math.IsNaN(v) || math.Abs(v) > 1e6 {
			return out, fmt.Errorf("%.40q is no figure", f[place+i])
		}
		out[i] = v
	}
	return out, nil
}

// parseQCSQ reads Quectel's line: +QCSQ: "LTE",<rssi>,<rsrp>,<sinr>,<rsrq>, with the SINR in fifths of a dB above -20.
// Cat M1 modems write "eMTC", and there is no figure without a service.
func (s *Signal) parseQCSQ(line string) error {
	f, err := values(line, "+QCSQ", 5)
	if err != nil || f[0] != "LTE" && f[0] != "eMTC" && f[0] != "CAT-M1" && f[0] != "CAT-NB1" {
		return err
	}
	v, err := figures(f, 1)
	if err != nil {
		return err
	}
	return s.set(v[0], v[1], v[3], v[2]/5-20)
}

// parseCPSI reads SIMCom's line, whose last four values are RSRQ, RSRP, RSSI and SNR. The SIM7600 writes tenths, the SIM7080 wholes.
func (s *Signal) parseCPSI(line string) error {
	f, err := values(line, "+CPSI", 2)
	if err != nil || len(f) != 14 {
		return err // not LTE, or no service
	}
	v, err := figures(f, 10)
	if err != nil {
		return err
	}
	if v[1] < -200 {
		v[0], v[1], v[2] = v[0]/10, v[1]/10, v[2]/10
	}
	return s.set(v[2], v[1], v[0], v[3])
}

// parseHCSQ reads Huawei's line: ^HCSQ:"LTE",<rssi>,<rsrp>,<sinr>,<rsrq> in steps above -121 dBm, -141 dBm, -20.2 dB (fifths) and
// -20 dB (halves); 255 is not known.
func (s *Signal) parseHCSQ(line string) error {
	f, err := values(line, "^HCSQ", 5)
	if err != nil || f[0] != "LTE" {
		return err
	}
	v, err := figures(f, 1)
	if err != nil || v[0] == 255 || v[1] == 255 {
		return err
	}
	return s.set(v[0]-121, v[1]-141, v[3]/2-20, v[2]/5-20.2)
}
