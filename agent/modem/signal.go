package modem

import (
	"context"
	"fmt"
	"strings"
)

// Signal is the quality of reception. A pointer is nil where the modem does not know.
type Signal struct {
	RSSI *int `json:"rssi_dbm,omitempty"` // +CSQ, dBm
	RSRP *int `json:"rsrp_dbm,omitempty"` // +CESQ, dBm
	RSRQ *int `json:"rsrq_db,omitempty"`  // +CESQ, dB, rounded down
	SINR *int `json:"sinr_db,omitempty"`  // of the vendor's command, dB, rounded
}

// Thresholds under which data mostly fails: the edge of LTE coverage.
const (
	WeakRSRP = -118 // dBm
	WeakRSSI = -105 // dBm
	WeakSINR = -5   // dB: another cell is three times as loud
)

// Weak tells a signal that explains a failure. Unknown is not weak.
func (s Signal) Weak() bool {
	if s.SINR != nil && *s.SINR < WeakSINR {
		return true
	}
	if s.RSRP != nil {
		return *s.RSRP < WeakRSRP
	}
	return s.RSSI != nil && *s.RSSI < WeakRSSI
}

func (s Signal) String() string {
	var parts []string
	add := func(name string, v *int, unit string) {
		if v != nil {
			parts = append(parts, fmt.Sprintf("%s %d %s", name, *v, unit))
		}
	}
	add("RSRP", s.RSRP, "dBm")
	if s.RSRP == nil {
		add("RSSI", s.RSSI, "dBm")
	}
	add("RSRQ", s.RSRQ, "dB")
	add("SINR", s.SINR, "dB")
	if len(parts) == 0 {
		return "unknown"
	}
	return strings.Join(parts, ", ")
}

// Signal reads +CESQ and +CSQ (27.007, 8.69 and 8.5), and the vendor's command, whose figures go over theirs.
func (m *Modem) Signal(ctx context.Context) (Signal, error) {
	var s Signal
	reads := []signalRead{{"+CSQ", (*Signal).parseCSQ}, {"+CESQ", (*Signal).parseCESQ}}
	if v := m.vendor().Signal; v != nil {
		reads = append(reads, *v)
	}
	for _, q := range reads {
		info, err := m.command(ctx, q.cmd)
		if err != nil && !Refused(err) {
			return Signal{}, fmt.Errorf("reading the signal: %w", err)
		}
		for _, line := range info {
			if err := q.parse(&s, line); err != nil {
				m.log.Debug("unreadable signal", "line", line, "error", err)
			}
		}
	}
	return s, nil
}

// parseCSQ: <rssi> 0..31 are -113 dBm and up in steps of 2, 99 unknown.
func (s *Signal) parseCSQ(line string) error {
	f, err := values(line, "+CSQ", 2)
	if err != nil {
		return err
	}
	n, err := number("the RSSI", f[0], 0, 199)
	if err != nil {
		return err
	}
	if n <= 31 {
		dbm := -113 + 2*n
		s.RSSI = &dbm
	}
	return nil
}

// parseCESQ: <rsrq> 0..34 are -20 dB and up in steps of 0.5, <rsrp> 0..97 are -141 dBm and up; 255 unknown.
func (s *Signal) parseCESQ(line string) error {
	f, err := values(line, "+CESQ", 6)
	if err != nil {
		return err
	}
	rsrq, err := number("the RSRQ", f[4], 0, 255)
	if err != nil {
		return err
	}
	rsrp, err := number("the RSRP", f[5], 0, 255)
	if err != nil {
		return err
	}
	if rsrq <= 34 {
		db := -20 + rsrq/2
		s.RSRQ = &db
	}
	if rsrp <= 97 {
		dbm := -141 + rsrp
		s.RSRP = &dbm
	}
	return nil
}

// Operator is the network that the modem uses; an empty Name where it uses none.
type Operator struct {
	Name string `json:"name"` // long, short, or the PLMN number, as the modem gives it
	AcT  AcT    `json:"-"`
}

// Operator reads +COPS? (27.007, 7.3).
func (m *Modem) Operator(ctx context.Context) (Operator, error) {
	v, err := m.value(ctx, "+COPS?", "+COPS")
	if err != nil {
		return Operator{AcT: -1}, fmt.Errorf("reading the operator: %w", err)
	}
	return parseCOPS(v)
}

func parseCOPS(v string) (Operator, error) {
	op := Operator{AcT: -1}
	f, err := splitFields(v)
	if err != nil {
		return op, fmt.Errorf("reading the operator: %w", err)
	}
	if len(f) > 2 {
		op.Name = f[2]
	}
	if len(f) > 3 {
		if n, err := number("", f[3], 0, 15); err == nil {
			op.AcT = AcT(n)
		}
	}
	return op, nil
}
