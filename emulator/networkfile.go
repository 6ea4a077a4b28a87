package emulator

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"minato/emulator/dce"
)

// FileNetwork is who the network is, in a configuration file. What is left out is dce.DefaultCell's, but where it would contradict what is
// there: a PLMN without a name has its digits for one, as modems show a network whose name they do not know, and of band and EARFCN one
// gives the other.
type FileNetwork struct {
	PLMN     string `yaml:"plmn"`
	Operator string `yaml:"operator"`
	TAC      string `yaml:"tac"` // this and the next three: decimal, or hexadecimal with 0x before it
	Cell     string `yaml:"cell"`
	Band     string `yaml:"band"`
	EARFCN   string `yaml:"earfcn"`
	Zone     string `yaml:"zone"` // offset from UTC, as +09:00
}

// cell is what Config takes.
func (f FileNetwork) cell() (dce.Cell, error) {
	c := dce.DefaultCell
	if f.PLMN != "" {
		c.PLMN, c.Operator = f.PLMN, f.PLMN
	}
	c.Operator = cmp.Or(f.Operator, c.Operator)
	tac, id, band, earfcn := uint32(c.TAC), c.ID, uint32(c.Band), uint32(c.EARFCN)
	for _, n := range []struct {
		key, text string
		bits      int
		to        *uint32
	}{{"tac", f.TAC, 16, &tac}, {"cell", f.Cell, 28, &id}, {"band", f.Band, 8, &band}, {"earfcn", f.EARFCN, 18, &earfcn}} {
		if err := readNumber(n.key, n.text, n.bits, n.to); err != nil {
			return dce.Cell{}, err
		}
	}
	c.TAC, c.ID = uint16(tac), id
	switch {
	case f.EARFCN != "" && f.Band == "":
		if band = uint32(dce.BandOf(int(earfcn))); band == 0 {
			return dce.Cell{}, fmt.Errorf("earfcn %d: in no E-UTRA band to camp on", earfcn)
		}
	case f.EARFCN == "" && int(band) != c.Band:
		earfcn = uint32(dce.ChannelOf(int(band)))
	}
	c.Band, c.EARFCN = int(band), int(earfcn)
	if f.Zone != "" {
		zone, err := parseZone(f.Zone)
		if err != nil {
			return dce.Cell{}, err
		}
		c.Zone = zone
	}
	return c, c.Validate()
}

// readNumber reads a number as people write it, or as modems do, who tell areas and cells in hexadecimal. "" leaves what is there.
func readNumber(key, text string, bits int, to *uint32) error {
	if text == "" {
		return nil
	}
	digits, hex := strings.CutPrefix(text, "0x")
	base := 10
	if hex {
		base = 16
	}
	n, err := strconv.ParseUint(digits, base, bits)
	if err != nil {
		return fmt.Errorf("%s %q: want a number of at most %d bits, decimal or as 0x1F00", key, text, bits)
	}
	*to = uint32(n)
	return nil
}

var zoneSyntax = regexp.MustCompile(`^([+-])([0-9]{2}):(00|15|30|45)$`)

// parseZone gives quarters of an hour.
func parseZone(text string) (int, error) {
	parts := zoneSyntax.FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("zone %q: want an offset from UTC in quarters of an hour, as +09:00 or -03:30", text)
	}
	hours, _ := strconv.Atoi(parts[2]) // the pattern is that of numbers
	minutes, _ := strconv.Atoi(parts[3])
	zone := hours*4 + minutes/15
	if parts[1] == "-" {
		zone = -zone
	}
	return zone, nil
}
