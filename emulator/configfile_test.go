package emulator

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"minato/emulator/core"
	"minato/emulator/dce"
)

func TestParseFile(t *testing.T) {
	f, err := ParseFile([]byte(`
dir: /run/modems
modems: 2
control: 127.0.0.1:7170
delay: 0.5
pcap: packets.pcapng
sims:
  - {pin: "1234", user: sora, password: sora}
  - {imsi: "001010123456789", iccid: "8981100005555555555", id: lift-3, apn: example, address: 10.200.0.7}
`))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := f.Config()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Modems != 2 || cfg.Delay != 0.5 || cfg.Cards[0].PIN != "1234" || len(cfg.Subscribers) != 2 {
		t.Errorf("configuration %+v", cfg)
	}
	s := cfg.Subscribers[1]
	if s.SIMID != "lift-3" || s.IMSI != "001010123456789" || s.APN != "example" || s.Addr.String() != "10.200.0.7" || s.User != "" {
		t.Errorf("second SIM %+v", s)
	}
	cfg.Dir, cfg.Control = "", ""
	e := start(t, cfg)
	if got := e.Modem(0).Status().SIM; got != "SIM PIN" {
		t.Errorf("the first SIM says %q", got)
	}
}

// Digits without quotation marks are the text that stands there, whatever number YAML sees in them.
func TestUnquotedDigits(t *testing.T) {
	f, err := ParseFile([]byte("sims: [{imsi: 001010000000001, iccid: 89811000000000000012, msisdn: +812000000000, user: 007, password: 0x10, pin: 012345}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := FileSIM{IMSI: "001010000000001", ICCID: "89811000000000000012", MSISDN: "+812000000000", User: "007", Password: "0x10", PIN: "012345"}
	if got := f.SIMs[0]; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	script, err := ParseScript([]byte("- {at: 1s, fault: sms-flood, params: {from: 0312345670}}\n"), 1)
	if err != nil || script[0].Params["from"] != "0312345670" {
		t.Errorf("script %+v, %v", script, err)
	}
}

// TestReferenceFile holds reference.yaml to the truth: it names every key, and New takes it.
func TestReferenceFile(t *testing.T) {
	text, err := os.ReadFile("reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := ParseFile(text)
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]any
	var sims struct{ SIMs []map[string]any }
	var network struct{ Network map[string]any }
	if err := errors.Join(yaml.Unmarshal(text, &said), yaml.Unmarshal(text, &sims), yaml.Unmarshal(text, &network)); err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		of   any
		said map[string]any
	}{{f, said}, {f.SIMs[0], sims.SIMs[0]}, {f.Network, network.Network}} {
		for field := range reflect.TypeOf(s.of).Fields() {
			if key := field.Tag.Get("yaml"); s.said[key] == nil {
				t.Errorf("key %s of %T is not documented", key, s.of)
			}
		}
	}
	cfg, err := f.Config()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg); err != nil {
		t.Error(err)
	}
	if got := cfg.Subscribers[0].Shape.Up.Loss; got != 0.01 || len(cfg.Platform) != 2 || cfg.Subscribers[0].MTU != 1500 {
		t.Errorf("configuration %+v", cfg)
	}
	// What it calls defaults are the defaults.
	if cfg.Cell != dce.DefaultCell || cfg.Cards[0].PUK != "12345678" || cfg.Cards[0].PIN2 != "1234" || cfg.Cards[0].PUK2 != "12345678" {
		t.Errorf("network %+v, card %+v", cfg.Cell, cfg.Cards[0])
	}
}

func TestParseFileErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"unknown key", "modem: 2\n", `unknown field "modem"`},
		{"unknown key of a SIM", "sims: [{imei: x}]\n", `unknown field "imei"`},
		{"no modems", "modems: 0\n", "modems 0: must be at least 1"},
		{"not a number", "modems: two\n", `[1:9] modems "two": must be of type int`},
		{"address", "sims: [{address: fe80::1}]\n", `sims[0].address "fe80::1": must be an IPv4 address`},
		{"platform", "platform: [1.2.3.4]\n", `platform service "1.2.3.4": want [NAME@]IP:PORT/PROTO=ADDR`},
		{"shape", "sims: [{}, {shape: fast}]\n", `sims[1].shape "fast": "fast" is not none`},
		{"not YAML", "sims: [\n", "parsing the configuration"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseFile([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestNewErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"modems", Config{Modems: -1}, "modems -1"},
		{"delay", Config{Delay: -1}, "delay -1"},
		{"door for all", Config{SOCKS: "0.0.0.0:0"}, `socks "0.0.0.0:0": must be on the loopback interface, as 127.0.0.1:PORT: the SOCKS5 door has no password`},
		{"personality", Config{Personality: "x"}, `personality "x": not known, allowed are huawei-ms2372`},
		{"MTU", Config{Subscribers: []core.Subscriber{{IMSI: "440101234567890", SIMID: "one", MTU: 100}}}, "subscriber 0: MTU 100: want 576 to 1500"},
		{"TUN", Config{TUN: "a-name-that-is-too-long"}, `TUN device "a-name-that-is-too-long"`},
		{"platform", Config{Platform: make([]core.PlatformService, 1)}, "platform service 0: address"},
		{"PIN", Config{Cards: []Card{{PIN: "12"}}}, "modem 0: SIM 440101234567890: PIN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte("modems: 2\nsims: [{pin: \"1234\"}]\n"))
	f.Add([]byte("dir: x\npersonality: y\ncontrol: z\nsocks: 1\ndelay: 1e9\n"))
	f.Add([]byte("network: {plmn: 26201, operator: Telekom.de, tac: 0xD1E, cell: 27447297, band: 3, earfcn: 1300, zone: +01:00}\nsims: [{puk: 01234567, data_only: true}, {spn: x}]\n"))
	f.Add([]byte("network: {band: 88, zone: -12:00}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := ParseFile(text)
		if err != nil {
			return
		}
		cfg, err := file.Config()
		if err == nil {
			err = cfg.Cell.Validate()
		}
		if err != nil {
			t.Error(err)
		}
	})
}
