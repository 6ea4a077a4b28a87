package dce

import (
	"regexp"
	"strings"
	"testing"
)

// foreignCell differs from DefaultCell in all things. Band 40 is TDD.
var foreignCell = Cell{PLMN: "310260", Operator: "T-Mobile [US]", TAC: 0xabcd, ID: 0x5c0ffee, Band: 40, EARFCN: 38950, Zone: -20}

func TestCellValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Cell)
		want string // "": it is good
	}{
		{"as it is", func(*Cell) {}, ""},
		{"two digits of MNC", func(c *Cell) { c.PLMN = "26201" }, ""},
		{"longest name", func(c *Cell) { c.Operator = "Verizon Wireless" }, ""},
		{"area FFFF", func(c *Cell) { c.TAC = 0xffff }, ""},
		{"first channel", func(c *Cell) { c.Band, c.EARFCN = 1, 0 }, ""},
		{"last channel", func(c *Cell) { c.Band, c.EARFCN = 71, 68935 }, ""},
		{"westernmost zone", func(c *Cell) { c.Zone = -48 }, ""},
		{"short PLMN", func(c *Cell) { c.PLMN = "4401" }, `PLMN "4401": want 5 or 6 digits (TS 23.003 section 2.2)`},
		{"long PLMN", func(c *Cell) { c.PLMN = "4401000" }, `PLMN "4401000"`},
		{"letters in the PLMN", func(c *Cell) { c.PLMN = "440-1" }, `PLMN "440-1"`},
		{"no name", func(c *Cell) { c.Operator = "" }, `operator ""`},
		{"long name", func(c *Cell) { c.Operator = "Verizon Wireless!" }, `operator "Verizon Wireless!": want 1 to 16`},
		{"a name that is 17 in GSM", func(c *Cell) { c.Operator = "[Verizon] Wirel" + "~" }, `operator "[Verizon] Wirel~"`},
		{"quotation mark", func(c *Cell) { c.Operator = `O"2` }, `operator "O\"2"`},
		{"line end", func(c *Cell) { c.Operator = "O\r2" }, `operator "O\r2"`},
		{"not in the GSM alphabet", func(c *Cell) { c.Operator = "O`2" }, "operator \"O`2\""},
		{"not in IRA", func(c *Cell) { c.Operator = "Télécom" }, `operator "Télécom"`},
		{"no area", func(c *Cell) { c.TAC = 0 }, "TAC 0000"},
		{"no area, either", func(c *Cell) { c.TAC = 0xfffe }, "TAC FFFE"},
		{"29 bits", func(c *Cell) { c.ID = 1 << 28 }, "cell 10000000: want 28 bits"},
		{"no band", func(c *Cell) { c.Band = 0 }, "band 0"},
		{"a band for further carriers", func(c *Cell) { c.Band, c.EARFCN = 29, 9700 }, "band 29"},
		{"channel of another band", func(c *Cell) { c.EARFCN = 100 }, "EARFCN 100: band 40 has 38650 to 39649"},
		{"zone", func(c *Cell) { c.Zone = 57 }, "zone 57: want -48 to 56"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := foreignCell
			tt.edit(&c)
			_, err := New(Config{Network: &fakeNetwork{}, SIM: goodSIM, Cell: c})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "cell: "+tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestBandTable holds that each channel is in one band, which is what lets a channel name its band.
func TestBandTable(t *testing.T) {
	for i, b := range bands {
		if b.first > b.last || i > 0 && (bands[i-1].last >= b.first || bands[i-1].number >= b.number) {
			t.Errorf("band %d is out of order", b.number)
		}
		for _, earfcn := range []int{b.first, b.last, ChannelOf(b.number)} {
			if got := BandOf(earfcn); got != b.number {
				t.Errorf("channel %d of band %d is in %d", earfcn, b.number, got)
			}
		}
	}
	// Seen on air: +QENG of Quectel modems in public logs.
	for earfcn, band := range map[int]int{38950: 40, 38098: 38, 38400: 39, 36275: 34, 40140: 41, 1795: 3, 9700: 0, 1 << 20: 0} {
		if got := BandOf(earfcn); got != band {
			t.Errorf("channel %d is in band %d, want %d", earfcn, got, band)
		}
	}
}

// TestHomeNetwork is what the card's files say of its own network, at home and abroad.
func TestHomeNetwork(t *testing.T) {
	for _, tt := range []struct{ plmn, imsi, ad, home string }{
		{"26201", "262011234567890", "00000002", "62F2104000"},
		{"310260", "310260234567890", "00000003", "1300624000"},
		{"001001", "001001234567890", "00000003", "0011004000"},
		{"26201", "440101234567890", "00000002", "44F0014000"},
		{"26201", "310410234567890", "00000003", "1300144000"},
		{"310410", "262011234567890", "00000002", "62F2104000"},
	} {
		t.Run(tt.imsi+" in "+tt.plmn, func(t *testing.T) {
			b := newBench(t, func(c *Config) { c.Cell = foreignCell; c.Cell.PLMN = tt.plmn; c.SIM.IMSI = tt.imsi })
			b.on()
			u := b.user("at")
			u.awaitBoot(b)
			for command, want := range map[string]string{"AT+CRSM=176,28589,0,0,4": tt.ad, "AT+CRSM=176,28514,0,0,5": tt.home} { // EF_AD, EF_HPLMNwAcT
				if got := u.ask(command); !strings.Contains(got, `+CRSM: 144,0,"`+want+`"`) {
					t.Errorf("%s gave %q, want %q", command, got, want)
				}
			}
		})
	}
}

var finalResult = regexp.MustCompile(`\r\n(OK|ERROR|\+CM[ES] ERROR: [^\r]*|COMMAND NOT SUPPORT)\r\n$`)

// ask sends a command and gives the answer, whatever the result is.
func (u *user) ask(command string) string {
	u.send(command + "\r")
	var got string
	for !finalResult.MatchString(got) {
		got += u.await("\r\n")
	}
	return got
}

// openNetwork knows every SIM.
type openNetwork struct{ *fakeNetwork }

func (openNetwork) Attach(string, string) (string, error) { return "", nil }

// TestForeignNetwork looks for DefaultCell in all that each personality says in another network: it is nowhere, and that network is.
func TestForeignNetwork(t *testing.T) {
	asks := []string{
		"AT+COPS?", "AT+COPS=3,2;+COPS?", "AT+COPS=?", "AT+COPN", "AT+CPOL=1,2,\"310260\";+CPOL?", "AT+CREG=2;+CREG?", "AT+CGREG=2;+CGREG?", "AT+CEREG=2;+CEREG?",
		"AT+CRSM=176,28514,0,0,5", "AT+QNWINFO", "AT+QSPN", "AT+QENG=\"servingcell\"", "AT+QLTS", "AT^SYSINFOEX", "AT^EONS=1", "AT+CPSI?", "AT+UCGED=2;+UCGED?",
	}
	ours := regexp.MustCompile(`44010|440[,-]10|44F0|DOCOMO|1F00|1f00|79D903|79d903|BAND ?1\b|,100,1,|\+36\b`)
	for _, name := range Personalities() {
		t.Run(name, func(t *testing.T) {
			p, err := LoadPersonality(name)
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, func(c *Config) {
				c.Personality, c.Network, c.Cell, c.SIM.IMSI, c.SIM.SPN = p, openNetwork{&fakeNetwork{}}, foreignCell, "310260234567890", "SORACOM"
			})
			u := b.ready("at")
			u.ask(`AT+CSCS="IRA"`)
			var said strings.Builder
			for _, command := range asks {
				said.WriteString(u.ask(command))
			}
			for _, command := range b.names {
				if strings.ContainsRune("+^", rune(command[0])) {
					said.WriteString(u.ask("AT" + command + "?"))
				}
			}
			if found := ours.FindString(said.String()); found != "" {
				t.Errorf("the modem tells of another network, %q: %s", found, said.String())
			}
			for _, want := range []string{`"310260"`, `"T-Mobile [US]"`, "ABCD", "5C0FFEE", "130062", "-20\""} {
				if !strings.Contains(said.String(), want) {
					t.Errorf("the modem does not say %q: %s", want, said.String())
				}
			}
			if strings.HasPrefix(name, "quectel") && (strings.Contains(said.String(), "FDD") || !strings.Contains(said.String(), `"TDD",310,260,5C0FFEE,`)) {
				t.Errorf("band 40 is not TDD: %s", said.String())
			}
			if name == "quectel-ec25" && !strings.Contains(said.String(), `+QSPN: "T-Mobile [US]","T-Mobile [US]","SORACOM",0,"310260"`) {
				t.Errorf("no SPN: %s", said.String())
			}
		})
	}
}

// TestRoamingOfHuawei is <roam_status> of ^SYSINFOEX.
func TestRoamingOfHuawei(t *testing.T) {
	p, err := LoadPersonality("huawei-ms2372")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *Config) { c.Personality, c.Cell = p, foreignCell })
	b.on()
	u := b.user("at")
	u.awaitBoot(b)
	b.statusIs(func(s Status) bool { return s.Registration == int(RegisteredRoaming) })
	if got := u.ask("AT^SYSINFOEX"); !strings.Contains(got, `^SYSINFOEX:2,3,1,1,,6,"LTE",101,"LTE"`) {
		t.Errorf("%q", got)
	}
}

func TestSIMCardErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*SIMCard)
		want string
	}{
		{"PIN", func(c *SIMCard) { c.PIN = "123" }, "SIM 440101234567890: PIN: 4 to 8 digits are allowed"},
		{"PIN2", func(c *SIMCard) { c.PIN2 = "123456789" }, "SIM 440101234567890: PIN2: 4 to 8"},
		{"PUK", func(c *SIMCard) { c.PUK = "1234" }, "SIM 440101234567890: PUK: 8 digits"},
		{"PUK2", func(c *SIMCard) { c.PUK2 = "1234567x" }, "SIM 440101234567890: PUK2: 8 digits"},
		{"SPN", func(c *SIMCard) { c.SPN = "SORACOM SORACOM 2" }, `SIM 440101234567890: SPN "SORACOM SORACOM 2": up to 16`},
		{"SPN's quotation mark", func(c *SIMCard) { c.SPN = `"` }, `SIM 440101234567890: SPN "\""`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			card := goodSIM
			tt.edit(&card)
			if _, err := New(Config{Network: &fakeNetwork{}, SIM: card}); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
