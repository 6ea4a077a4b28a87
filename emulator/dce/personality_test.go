package dce

import (
	"strings"
	"testing"
)

func TestPersonalities(t *testing.T) {
	for _, name := range Personalities() {
		t.Run(name, func(t *testing.T) {
			p, err := LoadPersonality(name)
			if err != nil {
				t.Fatal(err)
			}
			if p.Doc == "" {
				t.Error("it has no doc")
			}
			if n := p.Sources(); n[SourceTranscript] == 0 {
				t.Errorf("nothing of it was ever seen: %v", n)
			}
		})
	}
}

func TestPersonalityErrors(t *testing.T) {
	text, err := personalities.ReadFile("personalities/" + DefaultPersonality + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown key", "identity:", "identify:", "unknown field"},
		{"no source", "value: EC25, source: transcript", "value: EC25", `identity.model: source "none"`},
		{"missing", "  tac:", "  tec:", "unknown field"},
		{"missing fact", `  tac: {value: "86758403", source: inferred}`, "", "identity.tac: missing"},
		{"wrong source", "value: EC25, source: transcript", "value: EC25, source: rumour", `source "rumour": transcript, manual and inferred`},
		{"bad name", "name: quectel-ec25", "name: Quectel EC25", `name "Quectel EC25"`},
		{"bad TAC", `"86758403"`, `"8675840"`, `identity.tac "8675840": must be eight digits`},
		{"bad ports", "  interfaces:", "  names: {value: [ppp], source: inferred}\n  interfaces:", "ports.names [ppp]"},
		{"bad interfaces", "[ttyUSB2, ttyUSB3]", "[ttyUSB2]", "ports.interfaces: 1 for 2 ports"},
		{"bad text", "+QTEMP: 36,33,32", "+QTEMP: {heat}", `value "heat" is not known`},
		{"bad arithmetic", "{sinr+20*5|0..250}", "{sinr/0}", `arithmetic "/0"`},
		{"bad brace", "+QTEMP: 36,33,32", "+QTEMP: {36}", "has a brace"},
		{"bad conversion", "{sinr+20*5|0..250}", "{sinr|upper}", `conversion "upper"`},
		{"bad condition", "when: registered online", "when: registered happy", `"happy" is not known`},
		{"condition on no setting", "when: registered online", "when: +NOPE=1", `when "+NOPE=1": there is no setting +NOPE`},
		{"bad result", `result: "10"}]`, `result: "9999"}]`, `result "9999"`},
		{"bad action", "do: reset", "do: explode", `do "explode"`},
		{"bad context", "disconnect: '{id}'", "disconnect: one", `connect or disconnect "one"`},
		{"two verbs", "disconnect: '{id}'", "connect: '{id}', disconnect: '{id}'", "exclude each other"},
		{"bad match", `(?P<id>[0-9]+)`, `(?P<id>[0-9]+`, "match: "},
		{"bad relative", "doc: Quectel EC25", "extends: nokia\ndoc: Quectel EC25", `extends "nokia"`},
		{"bad register", "{7: 0, 10: 15}", "{7: 0, 10: 999}", "S10=999"},
		{"bad rate", "  rates:", "  rate: {value: 42, source: inferred}\n  rates:", "line.rate 42"},
		{"bad levels", "  cids:", "  cereg: {value: 0-9, source: inferred}\n  cids:", `values "0-9"`},
		{"bad multiplexer", "  n1: {value: 127", "  n1: {value: 0", "cmux.n1 0"},
		{"bad format", "formats:\n", "formats:\n  none: {value: x, source: manual}\n", `formats "none"`},
		{"bad key", "key: nwscanmode", "key: usbnet", `key "usbnet" is there twice`},
		{"bad authentication", "value: chap", "value: eap", `ppp.auth "eap"`},
		{"bad boot step", "when: unlocked", "when: sometimes", `when "sometimes"`},
		{"default not allowed", `default: '"GSM"'`, `default: GSM`, "does not match allow"},
		{"bad pattern", `allow: "[013]"`, `allow: "[013"`, "settings +CTZU: allow"},
		{"twice", "command: +CCID", "command: +QCCID", `command "+QCCID" is there twice`},
		{"bad command", "command: +CCID", "command: ccid", `command "ccid"`},
		{"bad context parameters", `options: "0,0,0,1"`, `options: "0,x"`, `packet.contexts: options "0,x"`},
		{"too few defaults", "  cids:", "  defaults: {value: \"0,0,0\", source: inferred}\n  cids:", `packet.defaults "0,0,0"`},
		{"bad context", "cid: 2", "cid: 99", "cid 99"},
		{"key left out that is there", "replies:\n", "omit: [{command: +QCFG, key: usbnet, source: manual}]\nreplies:\n", `omit: command "+QCFG", key "usbnet": not a key`},
		{"key left out of no setting", "replies:\n", "omit: [{command: +QTEMP, key: x, source: manual}]\nreplies:\n", `omit: command "+QTEMP", key "x": not a key`},
		{"not YAML", "boot:", "\tboot", "parsing a personality"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(good, tt.old, tt.new, 1)
			if bad == good {
				t.Fatalf("%q is not in the file", tt.old)
			}
			if _, err := ParsePersonality([]byte(bad)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := LoadPersonality("nokia-3310"); err == nil || !strings.Contains(err.Error(), "quectel-ec25") {
		t.Errorf("unknown personality: %v", err)
	}
}

func TestIMEIHasItsCheckDigit(t *testing.T) {
	p := &Personality{Identity: Identity{TAC: Fact[string]{Value: "49015420"}}}
	// 49-015420-323751-8 is the worked example of TS 23.003 annex B.
	if got := p.IMEI(323751 - 123456); got != "490154203237518" {
		t.Errorf("IMEI %s", got)
	}
}

// TestBootOrder: what an EG25-G says of its functionality comes behind its card, and an EC25 says it before (TestBoot).
func TestBootOrder(t *testing.T) {
	p, err := LoadPersonality("quectel-eg25-g")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *Config) { c.Personality = p })
	u := b.user("at")
	b.awaitPorts(1)
	b.on()
	want := "\r\nRDY\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+CFUN: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n"
	if got := u.await(want); got != want {
		t.Errorf("boot says %q, want %q", got, want)
	}
}

// TestPersonalityData shows that a modem with other manners needs no Go.
func TestPersonalityData(t *testing.T) {
	text, err := personalities.ReadFile("personalities/" + DefaultPersonality + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	other := strings.NewReplacer(
		`value: ["{manufacturer}", "{model}", "Revision: {revision}"]`, `value: ["Manufacturer: {manufacturer}", "IMEI: {imei}"]`,
		"CONNECT 150000000", "CONNECT 115200",
	).Replace(string(text)) + "omit: [{command: +CPOL, source: manual}]\n"
	p, err := ParsePersonality([]byte(other))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *Config) { c.Personality = p })
	u := b.ready("at")
	u.expect("ATI", "\r\nManufacturer: Quectel\r\nIMEI: 867584031234565\r\n\r\nOK\r\n")
	u.expect("AT+CPOL?", "\r\nERROR\r\n")
	u.expect("ATD*99#", "\r\nCONNECT 115200\r\n")
}
