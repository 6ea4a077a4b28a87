package dce

import (
	"fmt"
	"strings"

	"minato/emulator/sms"
)

// Cell is the base station that the modem camps on, and what its network says of itself.
type Cell struct {
	PLMN     string // MCC and MNC, 5 or 6 digits
	Operator string // the network's name in +COPS, 1 to 16 characters
	TAC      uint16 // tracking area code, as +CEREG tells it; not 0 nor FFFE
	ID       uint32 // E-UTRAN cell identity, 28 bits
	Band     int    // E-UTRA operating band
	EARFCN   int    // channel number of the downlink, which is in Band
	Zone     int    // of the network's time, in quarters of an hour east of UTC, -48 to 56
}

// DefaultCell is the cell of a network whose SIMs are core.DefaultSubscriber's.
var DefaultCell = Cell{PLMN: "44010", Operator: "NTT DOCOMO", TAC: 0x1f00, ID: 0x79d903, Band: 1, EARFCN: 100, Zone: 36}

// The zones that there are on earth, in quarters of an hour.
const (
	minZone = -48
	maxZone = 56
)

// Validate says what no network could be.
func (c Cell) Validate() error {
	if !isPLMN(c.PLMN) {
		return fmt.Errorf("PLMN %q: want 5 or 6 digits (TS 23.003 section 2.2)", c.PLMN)
	}
	if c.Operator == "" || !sayable(c.Operator) {
		return fmt.Errorf("operator %q: want 1 to %d printable ASCII characters that are in the GSM alphabet, and no quotation mark", c.Operator, nameOctets)
	}
	if c.TAC == 0 || c.TAC == 0xfffe { // they say that there is no area
		return fmt.Errorf("TAC %04X: want 0001 to FFFF, and not FFFE (TS 23.003 section 19.4.2.3)", c.TAC)
	}
	if c.ID >= 1<<28 {
		return fmt.Errorf("cell %X: want 28 bits (TS 23.003 section 19.6)", c.ID)
	}
	first, last, ok := channels(c.Band)
	if !ok {
		return fmt.Errorf("band %d: want an E-UTRA operating band to camp on (TS 36.101 table 5.5-1)", c.Band)
	}
	if c.EARFCN < first || c.EARFCN > last {
		return fmt.Errorf("EARFCN %d: band %d has %d to %d (TS 36.101 table 5.7.3-1)", c.EARFCN, c.Band, first, last)
	}
	if c.Zone < minZone || c.Zone > maxZone {
		return fmt.Errorf("zone %d: want %d to %d quarters of an hour", c.Zone, minZone, maxZone)
	}
	return nil
}

func isPLMN(s string) bool { return len(s) >= 5 && len(s) <= 6 && digits(s) }

// nameOctets is the room for a name, of a network in +COPS (TS 27.007 section 7.3) and of a provider on the card (TS 31.102 section 4.2.12).
const nameOctets = 16

// sayable tells that a name can be said in each character set of +CSCS, and ends no string of an answer.
func sayable(name string) bool {
	for _, r := range name {
		if r < ' ' || r > '~' || r == '"' {
			return false
		}
	}
	septets, err := sms.EncodeGSM(name)
	return err == nil && len(septets) <= nameOctets
}

// homeLocked is the card's own network: the cell's, if the IMSI begins with it. How long the MNC of another network is the IMSI does not
// tell; phones go by the country (ITU-T E.212 leaves it to each).
func (m *Modem) homeLocked() string {
	imsi := m.sim.card.IMSI
	switch {
	case strings.HasPrefix(imsi, m.cell.PLMN):
		return m.cell.PLMN
	case strings.Contains(threeDigitCountries, imsi[:3]):
		return imsi[:6]
	}
	return imsi[:5]
}

// threeDigitCountries are the MCCs for which Android's MccTable has MNCs of three digits.
const threeDigitCountries = "302 310 311 312 313 314 315 316 334 338 342 344 346 348 365 708 722 732"
