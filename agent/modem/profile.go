package modem

import (
	"strings"
	"time"
)

// Profile is how a vendor's modems differ from 27.007. It is data: all that the agent does differently for a modem stands here.
type Profile struct {
	Name         string
	Manufacturer []string // beginnings of +CGMI, lower case
	Model        []string // beginnings of +CGMM, lower case; none: every model of the manufacturer

	ICCID     []string           // commands that give the SIM's number, in the order to try
	Retries   []retryRead        // commands that give the PIN's counter, in the order to try
	Setup     []string           // sent once the modem is known; what it refuses is skipped
	Auth      string             // sets a context's user and password: context, protocol (1 PAP, 2 CHAP), user, password
	NoAuth    string             // clears them: context
	Dial      []string           // dial commands, in the order to try: context
	Interface *InterfaceCommands // connects its network interface; nil: the system does, or the modem by itself
	Signal    *signalRead        // tells more of the signal than +CESQ; nil: nothing does

	Reset []string      // restart the whole modem, in the order to try
	Boot  time.Duration // from the restart until it answers, at most; its USB ports are away meanwhile

	CMUX []Multiplex // commands that start the multiplexer, in the order to try; none: it has none that works
}

// Multiplex is one way to start 27.010.
type Multiplex struct {
	Command string
	N1      int // the frame size that goes with it
}

// retryRead is one way to learn how many tries a PIN has left.
type retryRead struct {
	cmd   string
	parse func(line string) (tries int, err error)
}

// signalRead is a vendor's way to tell the signal.
type signalRead struct {
	cmd   string
	parse func(*Signal, string) error
}

var (
	genericRetries = []retryRead{{`+CPINR="SIM PIN"`, parseCPINR}, {`+CSIM=10,"0020000100"`, parseVerify}, {`+CSIM=8,"00200001"`, parseVerify}}
	genericDial    = []string{"D*99***%d#", `+CGDATA="PPP",%d`}
	genericSetup   = []string{"+CGEREP=2,1", "+CGEREP=1"} // announce the loss of a context (27.007, 10.1.19)
	plainCMUX      = Multiplex{"+CMUX=0", 31}
)

// cgauth is 27.007, 10.1.31.
const (
	cgauth   = `+CGAUTH=%d,%d,%s,%s`
	noCGAUTH = `+CGAUTH=%d,0`
)

// GenericBoot is how long a modem may take from power-on until it answers.
const GenericBoot = 60 * time.Second

// generic is what a modem of no known vendor gets.
var generic = Profile{
	Name:    "generic",
	ICCID:   []string{"+CCID", "+ICCID", "+CICCID", "+QCCID"},
	Retries: genericRetries,
	Setup:   genericSetup,
	Auth:    cgauth, NoAuth: noCGAUTH,
	Dial:  genericDial,
	Reset: []string{"+CFUN=1,1"},
	Boot:  GenericBoot,
	CMUX:  []Multiplex{plainCMUX},
}

var quectel = Profile{
	Name:         "quectel",
	Manufacturer: []string{"quectel"},
	ICCID:        []string{"+QCCID", "+CCID"},
	Retries:      append([]retryRead{{`+QPINC="SC"`, parseCounter("+QPINC", 1)}}, genericRetries...),
	Setup:        genericSetup,
	Auth:         cgauth, NoAuth: noCGAUTH,
	Dial: genericDial,
	Interface: &InterfaceCommands{ // of the EC200 and EG915; the EC25 connects by itself
		Up: []string{"+QNETDEVCTL=1,{cid},1"}, Down: []string{"+QNETDEVCTL=0,{cid}"}, Status: &statusRead{cmd: "+QNETDEVCTL?", parse: parseQNETDEVCTL},
	},
	Signal: &signalRead{"+QCSQ", (*Signal).parseQCSQ},
	Reset:  []string{"+CFUN=1,1"},
	Boot:   GenericBoot,
	CMUX:   []Multiplex{{"+CMUX=0,0,5,127,10,3,30,10,2", 127}, {"+CMUX=0,0,5,127", 127}, plainCMUX},
}

// sim7080 has another way to restart than the LTE modems of its maker, and its +CCID.
var sim7080 = Profile{
	Name:         "simcom-sim7080",
	Manufacturer: []string{"simcom"},
	Model:        []string{"simcom_sim7080", "sim7080", "simcom_sim7070", "sim7070", "simcom_sim7090", "sim7090"},
	ICCID:        []string{"+CCID", "+ICCID"},
	Retries:      append([]retryRead{{"+SPIC", parseCounter("+SPIC", 0)}}, genericRetries...),
	Setup:        genericSetup,
	Auth:         cgauth, NoAuth: noCGAUTH,
	Dial: append(genericDial[:1:1], "D*99#"),
	Interface: &InterfaceCommands{
		Up: []string{"+CNCFG=0,1,{apn},{user},{password},{auth}", "+CNACT=0,1"}, Down: []string{"+CNACT=0,0"}, Status: &statusRead{cmd: "+CNACT?", parse: parseCNACT},
	},
	Signal: &signalRead{"+CPSI?", (*Signal).parseCPSI},
	Reset:  []string{"+CFUN=1,1", "+CREBOOT"},
	Boot:   45 * time.Second,
	CMUX:   []Multiplex{plainCMUX},
}

var simcom = Profile{
	Name:         "simcom",
	Manufacturer: []string{"simcom"},
	ICCID:        []string{"+CICCID", "+CCID", "+ICCID"},
	Retries:      append([]retryRead{{"+SPIC", parseCounter("+SPIC", 0)}}, genericRetries...),
	Setup:        genericSetup,
	Auth:         cgauth, NoAuth: noCGAUTH,
	Dial: genericDial,
	Interface: &InterfaceCommands{ // Qualcomm's; the instance, not the context
		Up: []string{"$QCRMCALL=1,1"}, Down: []string{"$QCRMCALL=0,1"}, Status: &statusRead{cmd: "$QCRMCALL?", parse: parseQCRMCALL, silent: true},
	},
	Signal: &signalRead{"+CPSI?", (*Signal).parseCPSI},
	Reset:  []string{"+CRESET", "+CFUN=1,1"},
	Boot:   GenericBoot,
	CMUX:   []Multiplex{plainCMUX},
}

var ublox = Profile{
	Name:         "u-blox",
	Manufacturer: []string{"u-blox", "ublox"},
	ICCID:        []string{"+CCID"},
	Retries:      append([]retryRead{{"+UPINCNT", parseCounter("+UPINCNT", 0)}}, genericRetries...),
	Setup:        genericSetup,
	Auth:         `+UAUTHREQ=%d,%d,%s,%s`, NoAuth: `+UAUTHREQ=%d,0`,
	Dial:      genericDial,
	Interface: &InterfaceCommands{Up: []string{"+CGACT=1,{cid}", "+UCEDATA={cid},0"}, Down: []string{"+CGACT=0,{cid}"}},
	Reset:     []string{"+CFUN=16", "+CFUN=1,1"},
	Boot:      GenericBoot,
	CMUX:      []Multiplex{{"+CMUX=0,0,,31", 31}, plainCMUX}, // LARA-R6 makes FCS errors with 127
}

var huawei = Profile{
	Name:         "huawei",
	Manufacturer: []string{"huawei"},
	ICCID:        []string{"^ICCID?", "+ICCID", "+CCID"},
	Retries:      append([]retryRead{{"^CPIN?", parseCounter("^CPIN", 3)}}, genericRetries...),
	Setup:        append([]string{"^CURC=1", "^PORTSEL=0"}, genericSetup...),
	Auth:         cgauth, NoAuth: noCGAUTH,
	Dial: genericDial,
	Interface: &InterfaceCommands{
		Up: []string{"^NDISDUP={cid},1,{apn},{user},{password},{auth}"}, Down: []string{"^NDISDUP={cid},0"}, Status: &statusRead{cmd: "^NDISSTATQRY?", parse: parseNDISSTATQRY},
	},
	Signal: &signalRead{"^HCSQ?", (*Signal).parseHCSQ},
	Reset:  []string{"^RESET", "+CFUN=1,1"},
	Boot:   GenericBoot,
}

var profiles = []*Profile{&quectel, &sim7080, &simcom, &ublox, &huawei}

// profileFor finds the profile of a modem; the generic one where none is known.
func profileFor(manufacturer, model string) *Profile {
	for _, p := range profiles {
		if begins(manufacturer, p.Manufacturer) && (len(p.Model) == 0 || begins(model, p.Model)) {
			return p
		}
	}
	return &generic
}

func begins(s string, beginnings []string) bool {
	s = strings.ToLower(s)
	for _, b := range beginnings {
		if strings.HasPrefix(s, b) {
			return true
		}
	}
	return false
}
