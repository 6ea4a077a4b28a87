package dce

import (
	"strings"
	"time"
)

// Source tells where a fact of a personality comes from.
type Source string

// The sources, from the firmest to the weakest.
const (
	SourceTranscript Source = "transcript" // a real modem of this kind sent it
	SourceManual     Source = "manual"     // its manual or the standard says so
	SourceInferred   Source = "inferred"   // a guess from its relatives, or plainly made up
)

// Fact is a value with its source.
type Fact[T any] struct {
	Value  T      `yaml:"value"`
	Source Source `yaml:"source"`
}

// Personality is what makes a modem this modem and not another: all of it data, none of it code.
//
// Texts may hold {manufacturer} {model} {revision} {imei} {imsi} {iccid} {msisdn} {cfun} {cpin}, filled in when they are sent.
type Personality struct {
	Name     string     `yaml:"name"`
	Doc      string     `yaml:"doc"`
	Identity Identity   `yaml:"identity"`
	Ports    PortsFact  `yaml:"ports"`
	Line     LineFacts  `yaml:"line"`
	Boot     []BootStep `yaml:"boot"`
	Delays   Delays     `yaml:"delays"`
	PPP      PPPFacts   `yaml:"ppp"`
	Packet   Packet     `yaml:"packet"`
	SMS      *SMSFacts  `yaml:"sms"`      // nil: those of most modems
	Replies  []Reply    `yaml:"replies"`  // commands whose answers never change
	Settings []Setting  `yaml:"settings"` // commands that only keep a value
	Omit     []Omission `yaml:"omit"`     // built-in commands that this modem does not have
}

// Identity is what +CGMI, +CGMM, +CGMR, ATI and +CGSN are made from.
type Identity struct {
	Manufacturer Fact[string]   `yaml:"manufacturer"`
	Model        Fact[string]   `yaml:"model"`
	Revision     Fact[string]   `yaml:"revision"`
	TAC          Fact[string]   `yaml:"tac"` // first eight digits of the IMEI
	ATI          Fact[[]string] `yaml:"ati"`
}

// PortsFact names the serial ports in the order of their USB interfaces; "at" and "ppp", or "at" alone.
type PortsFact struct {
	Names Fact[[]string] `yaml:"names"`
	URC   Fact[[]string] `yaml:"urc"` // the ports that unsolicited results go to
}

// LineFacts are the manners of the command line.
type LineFacts struct {
	Connect   Fact[string]      `yaml:"connect"`    // the text of CONNECT with ATX1 and more
	CMEE      Fact[int]         `yaml:"cmee"`       // +CMEE after a reset
	CircuitC  Fact[int]         `yaml:"circuit_c"`  // &C after a reset
	CircuitD  Fact[int]         `yaml:"circuit_d"`  // &D after a reset
	Registers Fact[map[int]int] `yaml:"registers"`  // S-registers that differ from V.250
	MaxLength Fact[int]         `yaml:"max_length"` // of a command line, AT and CR not counted
}

// BootStep is one unsolicited result on the way up.
type BootStep struct {
	After  time.Duration `yaml:"after"`
	Text   string        `yaml:"text"`
	When   string        `yaml:"when"` // "": always; unlocked: once the SIM is readable, so also after +CPIN=
	Source Source        `yaml:"source"`
}

// Delays are how long things take, at a Config.Delay of 1.
type Delays struct {
	Command Fact[time.Duration] `yaml:"command"` // any command
	CFUN    Fact[time.Duration] `yaml:"cfun"`    // +CFUN= to another value
	Search  Fact[time.Duration] `yaml:"search"`  // radio on to registered
	Dial    Fact[time.Duration] `yaml:"dial"`    // D to CONNECT
	Scan    Fact[time.Duration] `yaml:"scan"`    // +COPS=?
}

// PPPFacts are the manners of the modem's PPP server.
type PPPFacts struct {
	Auth Fact[string] `yaml:"auth"` // none, pap or chap
	Name Fact[string] `yaml:"name"` // in CHAP challenges
}

// Packet is the packet domain.
type Packet struct {
	CIDs     Fact[string]    `yaml:"cids"`    // as in the reply to +CGDCONT=?
	MaxCID   Fact[int]       `yaml:"max_cid"` // the largest cid that is taken
	Options  Fact[string]    `yaml:"options"` // the tail of each line of +CGDCONT=?
	Contexts []ContextPreset `yaml:"contexts"`
}

// ContextPreset is a PDP context that is defined from the factory.
type ContextPreset struct {
	CID    int    `yaml:"cid"`
	Type   string `yaml:"type"`
	APN    string `yaml:"apn"`
	Source Source `yaml:"source"`
}

// Reply is a command with fixed answers; each form that is left out is refused. An empty list is a bare OK.
type Reply struct {
	Command string   `yaml:"command"`
	Needs   string   `yaml:"needs"` // "": nothing; card: a SIM, locked or not; sim: a SIM that is not locked
	Exec    []string `yaml:"exec"`
	Read    []string `yaml:"read"`
	Test    []string `yaml:"test"`
	Set     bool     `yaml:"set"` // any parameters are taken, and change nothing
	Source  Source   `yaml:"source"`
}

// Setting is a command that keeps what it was set to.
type Setting struct {
	Command string `yaml:"command"`
	Default string `yaml:"default"`
	Allow   string `yaml:"allow"` // regular expression that a new value must match as a whole
	Test    string `yaml:"test"`
	Source  Source `yaml:"source"`
}

// Omission takes a built-in command away.
type Omission struct {
	Command string `yaml:"command"`
	Source  Source `yaml:"source"`
}

// Sources counts the facts by their source.
func (p *Personality) Sources() map[Source]int {
	count := map[Source]int{SourceTranscript: 0, SourceManual: 0, SourceInferred: 0}
	p.eachSource(func(_ string, s Source) { count[s]++ })
	return count
}

// eachSource visits every fact.
func (p *Personality) eachSource(visit func(what string, s Source)) {
	visit("identity.manufacturer", p.Identity.Manufacturer.Source)
	visit("identity.model", p.Identity.Model.Source)
	visit("identity.revision", p.Identity.Revision.Source)
	visit("identity.tac", p.Identity.TAC.Source)
	visit("identity.ati", p.Identity.ATI.Source)
	visit("ports.names", p.Ports.Names.Source)
	visit("ports.urc", p.Ports.URC.Source)
	visit("line.connect", p.Line.Connect.Source)
	visit("line.cmee", p.Line.CMEE.Source)
	visit("line.circuit_c", p.Line.CircuitC.Source)
	visit("line.circuit_d", p.Line.CircuitD.Source)
	visit("line.registers", p.Line.Registers.Source)
	visit("line.max_length", p.Line.MaxLength.Source)
	visit("delays.command", p.Delays.Command.Source)
	visit("delays.cfun", p.Delays.CFUN.Source)
	visit("delays.search", p.Delays.Search.Source)
	visit("delays.dial", p.Delays.Dial.Source)
	visit("delays.scan", p.Delays.Scan.Source)
	visit("ppp.auth", p.PPP.Auth.Source)
	visit("ppp.name", p.PPP.Name.Source)
	visit("packet.cids", p.Packet.CIDs.Source)
	visit("packet.max_cid", p.Packet.MaxCID.Source)
	visit("packet.options", p.Packet.Options.Source)
	p.SMS.eachSource(visit)
	for _, s := range p.Boot {
		visit("boot "+s.Text, s.Source)
	}
	for _, c := range p.Packet.Contexts {
		visit("packet.contexts "+c.APN, c.Source)
	}
	for _, r := range p.Replies {
		visit("replies "+r.Command, r.Source)
	}
	for _, s := range p.Settings {
		visit("settings "+s.Command, s.Source)
	}
	for _, o := range p.Omit {
		visit("omit "+o.Command, o.Source)
	}
}

// IMEI makes the n-th modem's identity: type allocation code, serial number, Luhn check digit (TS 23.003 section 6.2).
func (p *Personality) IMEI(n int) string {
	var b strings.Builder
	b.WriteString(p.Identity.TAC.Value)
	serial := 123456 + n
	for div := 100000; div > 0; div /= 10 {
		b.WriteByte(byte('0' + serial/div%10))
	}
	sum := 0
	for i, r := range b.String() {
		d := int(r - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	b.WriteByte(byte('0' + (10-sum%10)%10))
	return b.String()
}
