package dce

import (
	"regexp"
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

const allowedSources = "transcript, manual and inferred are allowed"

func (s Source) valid() bool {
	return s == SourceTranscript || s == SourceManual || s == SourceInferred
}

// Personality is what makes a modem this modem and not another: all of it data, none of it code.
//
// Texts hold values in braces, {imei}: see template and vars.
type Personality struct {
	Name       string                  `yaml:"name"`
	Doc        string                  `yaml:"doc"`
	Extends    string                  `yaml:"extends"` // the relative whose facts hold where this file is silent; "": the standards alone
	Identity   Identity                `yaml:"identity"`
	Ports      PortsFact               `yaml:"ports"`
	Line       LineFacts               `yaml:"line"`
	Boot       []BootStep              `yaml:"boot"`
	Delays     Delays                  `yaml:"delays"`
	PPP        PPPFacts                `yaml:"ppp"`
	Packet     Packet                  `yaml:"packet"`
	SMS        *SMSFacts               `yaml:"sms"` // nil: the relative's
	CMUX       CMUXFacts               `yaml:"cmux"`
	Indicators Fact[[]string]          `yaml:"indicators"` // of +CIND, in their order
	Quirks     Quirks                  `yaml:"quirks"`
	Formats    map[string]Fact[string] `yaml:"formats"`  // how built-in commands write their answers; see formatLocals
	Replies    []Reply                 `yaml:"replies"`  // commands whose answers are texts
	Settings   []Setting               `yaml:"settings"` // commands that keep a value
	Omit       []Omission              `yaml:"omit"`     // built-in or inherited commands that this modem does not have

	formats   map[string]template // of Formats, taken apart
	infos     map[int][]template  // of ATI and Infos
	unknown   result
	rateError result
	levels    [len(regDomains)]numbers
	functions numbers
	options   []numbers // of Packet.Options
}

// Identity is what +CGMI, +CGMM, +CGMR, ATI and +CGSN are made from.
type Identity struct {
	Manufacturer Fact[string]   `yaml:"manufacturer"`
	Model        Fact[string]   `yaml:"model"`
	Revision     Fact[string]   `yaml:"revision"`
	TAC          Fact[string]   `yaml:"tac"`   // first eight digits of the IMEI
	SVN          Fact[string]   `yaml:"svn"`   // software version number, two digits
	GCAP         Fact[string]   `yaml:"gcap"`  // the value of +GCAP
	ATI          Fact[[]string] `yaml:"ati"`   // ATI and ATI0
	Infos        []Info         `yaml:"infos"` // ATI1 to ATI9; those that are not there are refused
}

// Info is the answer to ATI with a number.
type Info struct {
	Number int      `yaml:"number"`
	Lines  []string `yaml:"lines"`
	Source Source   `yaml:"source"`
}

// PortsFact names the serial ports in the order of their USB interfaces; "at" and "ppp", or "at" alone.
type PortsFact struct {
	Names      Fact[[]string] `yaml:"names"`
	URC        Fact[[]string] `yaml:"urc"`        // the ports that unsolicited results go to
	Data       Fact[[]string] `yaml:"data"`       // the ports that take data calls
	Interfaces Fact[[]string] `yaml:"interfaces"` // what the hardware calls the ports, in the same order
	UART       Fact[bool]     `yaml:"uart"`       // the line speed matters: +IPR, and bytes at another speed are garbage
}

// LineFacts are the manners of the command line.
type LineFacts struct {
	Connect   Fact[string]      `yaml:"connect"`    // the text of CONNECT with ATX1 and more
	CMEE      Fact[int]         `yaml:"cmee"`       // +CMEE after a reset
	Echo      Fact[bool]        `yaml:"echo"`       // ATE after a reset
	X         Fact[int]         `yaml:"x"`          // ATX after a reset
	CircuitC  Fact[int]         `yaml:"circuit_c"`  // &C after a reset
	CircuitD  Fact[int]         `yaml:"circuit_d"`  // &D after a reset
	Registers Fact[map[int]int] `yaml:"registers"`  // S-registers that differ from V.250
	Factory   Fact[[]string]    `yaml:"factory"`    // the settings that &F gives their values of power-on, beside V.250's, which it always does
	Stored    Fact[[]string]    `yaml:"stored"`     // those that &W stores, and Z and power-on give back
	MaxLength Fact[int]         `yaml:"max_length"` // of a command line, AT and CR not counted
	Profiles  Fact[int]         `yaml:"profiles"`   // that &W and Z know, 1 or 2
	Rate      Fact[int]         `yaml:"rate"`       // +IPR after a reset; 0: found out by the first AT
	Rates     Fact[[]int]       `yaml:"rates"`      // that +IPR takes; 0 is automatic
	RateError Fact[string]      `yaml:"rate_error"` // the result of +IPR with any other; as Unknown
	Unknown   Fact[string]      `yaml:"unknown"`    // the result of a command that is not known; "100" is +CME ERROR: 100
}

// BootStep is one unsolicited result on the way up.
type BootStep struct {
	After  time.Duration `yaml:"after"`
	Text   string        `yaml:"text"`  // "": nothing is said, time passes
	When   string        `yaml:"when"`  // a condition; a step with "unlocked" comes also after +CPIN=
	Ports  string        `yaml:"ports"` // "": those for unsolicited results; all
	Source Source        `yaml:"source"`

	text template
	when condition
}

// Delays are how long things take, at a Config.Delay of 1.
type Delays struct {
	Command  Fact[time.Duration] `yaml:"command"`  // any command line
	CFUN     Fact[time.Duration] `yaml:"cfun"`     // +CFUN= to another value
	Search   Fact[time.Duration] `yaml:"search"`   // radio on to registered
	Attach   Fact[time.Duration] `yaml:"attach"`   // +CGATT=1 without a network, to its error
	Select   Fact[time.Duration] `yaml:"select"`   // +COPS=0 without a network, to its OK
	Detach   Fact[time.Duration] `yaml:"detach"`   // +CGATT=0
	Activate Fact[time.Duration] `yaml:"activate"` // +CGACT=
	Dial     Fact[time.Duration] `yaml:"dial"`     // D to CONNECT
	Scan     Fact[time.Duration] `yaml:"scan"`     // +COPS=?
	PowerOff Fact[time.Duration] `yaml:"power_off"`
}

// PPPFacts are the manners of the modem's PPP server.
type PPPFacts struct {
	Auth Fact[string] `yaml:"auth"` // none, pap or chap
	Name Fact[string] `yaml:"name"` // in CHAP challenges
}

// Packet is the packet domain.
type Packet struct {
	CIDs     Fact[string]    `yaml:"cids"`     // as in the reply to +CGDCONT=?
	MaxCID   Fact[int]       `yaml:"max_cid"`  // the largest cid that is taken
	Options  Fact[string]    `yaml:"options"`  // the tail of each line of +CGDCONT=?: the values of the parameters behind the address
	Defaults Fact[string]    `yaml:"defaults"` // what +CGDCONT? says of these parameters where +CGDCONT= did not
	Contexts []ContextPreset `yaml:"contexts"`
	AcT      Fact[int]       `yaml:"act"`   // <AcT> while registered
	CREG     Fact[string]    `yaml:"creg"`  // values of <n>, as "0-2,4"
	CGREG    Fact[string]    `yaml:"cgreg"` //
	CEREG    Fact[string]    `yaml:"cereg"` //
	CFUN     Fact[string]    `yaml:"cfun"`  // values of <fun>
}

// CMUXFacts are the multiplexer of TS 27.010.
type CMUXFacts struct {
	N1       Fact[int]    `yaml:"n1"`       // what AT+CMUX=0 gives
	MaxN1    Fact[int]    `yaml:"max_n1"`   //
	Channels Fact[int]    `yaml:"channels"` // the highest DLCI
	URC      Fact[int]    `yaml:"urc"`      // the DLCI that unsolicited results go to, while it hears commands; 0: all that do
	Exit     Fact[bool]   `yaml:"exit"`     // CLD gives the port back to AT; else only a reset does
	Defaults Fact[bool]   `yaml:"defaults"` // AT+CMUX? says what AT+CMUX=0 would give, while there is no multiplexer; else it is refused
	Test     Fact[string] `yaml:"test"`     // the values of AT+CMUX=?
}

// Quirks are ways in which a modem is known to be odd.
type Quirks struct {
	EarlyDial  Fact[time.Duration] `yaml:"early_dial"`  // D sooner than this after the command before it is NO CARRIER; 0: no such thing
	CMERDial   Fact[bool]          `yaml:"cmer_dial"`   // with +CMER on, D goes into data mode with no CONNECT
	PacketCall Fact[bool]          `yaml:"packet_call"` // +CLCC lists LTE's packet service as a call
}

// ContextPreset is a PDP context that is defined from the factory.
type ContextPreset struct {
	CID     int    `yaml:"cid"`
	Type    string `yaml:"type"`
	APN     string `yaml:"apn"`
	Options string `yaml:"options"` // the parameters behind the address; "": Packet.Defaults
	Source  Source `yaml:"source"`
}

// Reply is a command whose answers are texts. What is left out, a form or
// parameters that no answer is for, falls to the setting or the built-in command of that name, or is refused.
type Reply struct {
	Command string  `yaml:"command"`
	Needs   string  `yaml:"needs"` // "": nothing; idle: no SIM, or one that is not busy; card: a SIM, locked or not; sim: one that is not locked. The test form needs nothing
	Exec    Answers `yaml:"exec"`
	Read    Answers `yaml:"read"`
	Test    Answers `yaml:"test"`
	Set     Answers `yaml:"set"`
	Source  Source  `yaml:"source"`
}

// Setting is a command that keeps what it was set to. With a key it is one of several under the same command:
// AT+QCFG="key" reads, AT+QCFG="key",value sets.
type Setting struct {
	Command string            `yaml:"command"`
	Key     string            `yaml:"key"`
	Default string            `yaml:"default"`
	Allow   string            `yaml:"allow"` // regular expression that a new value must match as a whole; a group named value is what is kept of it
	Test    string            `yaml:"test"`  // a line; "": a bare OK
	Tail    string            `yaml:"tail"`  // what the read form says after the value; not with a key
	URC     map[string]string `yaml:"urc"`   // value to port: the setting says where unsolicited results go; all and none are no ports
	DLCI    bool              `yaml:"dlci"`  // the setting begins with the DLCI that unsolicited results go to, as cmux.urc has it
	Source  Source            `yaml:"source"`

	allow *regexp.Regexp
}

// Omission takes a command away, or with a key one of its settings that a relative has.
type Omission struct {
	Command string `yaml:"command"`
	Key     string `yaml:"key"`
	Source  Source `yaml:"source"`
}

// of tells that it takes a command away, or the setting with a key.
func (o Omission) of(command, key string) bool {
	return o.Command == command && (o.Key == "" || o.Key == key)
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
