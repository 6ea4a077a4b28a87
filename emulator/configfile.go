package emulator

import (
	"fmt"
	"net/netip"

	"minato/emulator/core"
)

// File is a configuration file; Config's comments say what the fields mean.
type File struct {
	Dir            string      `yaml:"dir"`
	Modems         *int        `yaml:"modems"` // nil: 1; else at least 1
	Personality    string      `yaml:"personality"`
	Control        string      `yaml:"control"`
	SOCKS          string      `yaml:"socks"`
	Delay          float64     `yaml:"delay"`
	Pcap           string      `yaml:"pcap"`     // file that the capture of IP packets goes to; "": none
	PcapPPP        string      `yaml:"pcap_ppp"` // file that the capture of PPP frames goes to; "": none
	Platform       []string    `yaml:"platform"` // as core.ParsePlatform has it
	TUN            string      `yaml:"tun"`
	DeviceToDevice bool        `yaml:"device_to_device"`
	Listen         []string    `yaml:"listen"`
	Network        FileNetwork `yaml:"network"`
	SIMs           []FileSIM   `yaml:"sims"` // none: the sample SIMs, one a modem
}

// FileSIM is one SIM of a configuration file. What is left out is the sample SIM's of the same position, but for user and password:
// without them no PPP authentication is checked.
type FileSIM struct {
	ID       string `yaml:"id"` // "": the ICCID
	IMSI     string `yaml:"imsi"`
	ICCID    string `yaml:"iccid"`
	MSISDN   string `yaml:"msisdn"`
	APN      string `yaml:"apn"`
	User     string `yaml:"user"`
	Password string `yaml:"password"`
	Address  string `yaml:"address"` // fixed IPv4 address; "": one from the pool
	PIN      string `yaml:"pin"`     // "": the lock is off, and 0000 is what puts it on
	PUK      string `yaml:"puk"`     // "": 12345678
	PIN2     string `yaml:"pin2"`    // "": 1234
	PUK2     string `yaml:"puk2"`    // "": 12345678
	SPN      string `yaml:"spn"`     // "": none
	DataOnly bool   `yaml:"data_only"`
	MTU      int    `yaml:"mtu"`   // of its sessions, 576 to 1500; 0: 1500
	Shape    string `yaml:"shape"` // of its link at first, as core.ParseShape has it; "": packets take no time
}

// ParseFile reads a configuration file; unknown keys are errors.
func ParseFile(text []byte) (File, error) {
	var f File
	if len(text) == 0 {
		return f, nil
	}
	if err := decodeYAML(text, &f); err != nil {
		return File{}, fmt.Errorf("parsing the configuration: %w", err)
	}
	if _, err := f.Config(); err != nil {
		return File{}, err
	}
	return f, nil
}

// Config gives what New takes; the capture is the caller's to open.
func (f File) Config() (Config, error) {
	cfg := Config{Dir: f.Dir, Personality: f.Personality, Control: f.Control, SOCKS: f.SOCKS, Delay: f.Delay, Listen: f.Listen, TUN: f.TUN, AllowDeviceToDevice: f.DeviceToDevice}
	if f.Modems != nil {
		if cfg.Modems = *f.Modems; cfg.Modems < 1 {
			return Config{}, fmt.Errorf("modems %d: must be at least 1", cfg.Modems)
		}
	}
	for _, text := range f.Platform {
		s, err := core.ParsePlatform(text)
		if err != nil {
			return Config{}, err
		}
		cfg.Platform = append(cfg.Platform, s)
	}
	cell, err := f.Network.cell()
	if err != nil {
		return Config{}, fmt.Errorf("network: %w", err)
	}
	cfg.Cell = cell
	for n, s := range f.SIMs {
		sub := core.DefaultSubscriberOf(cell.PLMN, n)
		sub.User, sub.Password = s.User, s.Password
		if s.ICCID != "" {
			sub.ICCID, sub.SIMID = s.ICCID, s.ICCID
		}
		for _, field := range []struct {
			to   *string
			from string
		}{{&sub.SIMID, s.ID}, {&sub.IMSI, s.IMSI}, {&sub.MSISDN, s.MSISDN}, {&sub.APN, s.APN}} {
			if field.from != "" {
				*field.to = field.from
			}
		}
		if s.Address != "" {
			addr, err := netip.ParseAddr(s.Address)
			if err != nil || !addr.Is4() {
				return Config{}, fmt.Errorf("sims[%d].address %q: must be an IPv4 address", n, s.Address)
			}
			sub.Addr = addr
		}
		sub.MTU = s.MTU
		if s.Shape != "" {
			shape, err := core.ParseShape(s.Shape)
			if err != nil {
				return Config{}, fmt.Errorf("sims[%d].%w", n, err)
			}
			sub.Shape = shape
		}
		cfg.Subscribers = append(cfg.Subscribers, sub)
		cfg.Cards = append(cfg.Cards, Card{PIN: s.PIN, PUK: s.PUK, PIN2: s.PIN2, PUK2: s.PUK2, SPN: s.SPN, DataOnly: s.DataOnly})
	}
	return cfg, nil
}
