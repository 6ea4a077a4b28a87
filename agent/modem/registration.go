package modem

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"minato/agent/atline"
)

// RegistrationStatus is <stat> of +CREG, +CGREG, +CEREG and +C5GREG (27.007, 10.1.22).
type RegistrationStatus int

// Values of <stat>.
const (
	NotRegistered       RegistrationStatus = 0
	RegisteredHome      RegistrationStatus = 1
	Searching           RegistrationStatus = 2
	RegistrationDenied  RegistrationStatus = 3
	RegistrationUnknown RegistrationStatus = 4 // out of coverage
	RegisteredRoaming   RegistrationStatus = 5
	SMSOnlyHome         RegistrationStatus = 6
	SMSOnlyRoaming      RegistrationStatus = 7
	EmergencyOnly       RegistrationStatus = 8
	NoCSFBHome          RegistrationStatus = 9  // registered; circuit-switched fallback not preferred
	NoCSFBRoaming       RegistrationStatus = 10 //
	RLOS                RegistrationStatus = 11 // restricted local operator services only
)

var registrationTexts = [...]string{
	"not registered", "registered, home network", "searching", "registration denied", "unknown", "registered, roaming",
	"registered for SMS only, home network", "registered for SMS only, roaming", "emergency calls only",
	"registered, home network, CSFB not preferred", "registered, roaming, CSFB not preferred", "restricted local operator services",
}

func (s RegistrationStatus) String() string {
	if s >= 0 && int(s) < len(registrationTexts) {
		return registrationTexts[s]
	}
	return "registration status " + strconv.Itoa(int(s))
}

// Registered tells whether the status carries packet data.
func (s RegistrationStatus) Registered() bool {
	return s == RegisteredHome || s == RegisteredRoaming || s == NoCSFBHome || s == NoCSFBRoaming
}

// AcT is an access technology (27.007, 7.3); -1: not given.
type AcT int

// AcTEUTRAN is LTE.
const AcTEUTRAN AcT = 7

var actNames = map[AcT]string{0: "GSM", 1: "GSM compact", 2: "UTRAN", 3: "EDGE", 4: "HSDPA", 5: "HSUPA", 6: "HSPA", 7: "LTE", 8: "EC-GSM-IoT", 9: "NB-IoT", 10: "LTE (5GC)", 11: "NR", 12: "NG-RAN", 13: "EN-DC"}

func (a AcT) String() string {
	if n, ok := actNames[a]; ok {
		return n
	}
	return "unknown"
}

// Registration is where and how the modem is registered.
type Registration struct {
	Domain string // "+CEREG" (EPS), "+CGREG" (GPRS), "+CREG" (CS), "+C5GREG" (5GS)
	Stat   RegistrationStatus
	TAC    uint32 // tracking or location area; 0: not given
	CellID uint64 // 0: not given
	AcT    AcT    // -1: not given
	Cause  int    // reject cause (24.301, 9.9.3.9), with <n> of 3; 0: not given
}

// ParseRegistration reads a line of the four commands in all its forms, solicited and not; the shape tells them apart (see
// atline.HasMode). The status must be one of 27.007; what cannot be read of the place counts as not given, since modems write
// odd things there.
func ParseRegistration(line string) (Registration, error) {
	name, rest, ok := strings.Cut(line, ":")
	r := Registration{Domain: name, AcT: -1}
	switch name {
	case "+CREG", "+CGREG", "+CEREG", "+C5GREG":
	default:
		ok = false
	}
	if !ok {
		return Registration{}, fmt.Errorf("%.40q is not a registration line", line)
	}
	f, err := splitFields(rest)
	if err != nil {
		return Registration{}, err
	}
	if len(f) > 1 && atline.HasMode(rest) {
		f = f[1:]
	}
	stat, err := number("the registration status", f[0], 0, len(registrationTexts)-1)
	if err != nil {
		return Registration{}, fmt.Errorf("%.80q: %w", line, err)
	}
	r.Stat = RegistrationStatus(stat)
	r.place(f[1:])
	return r, nil
}

// place reads what follows the status: <lac>,<ci>[,<AcT>[,<rac>]], with <n> of 3 [,<cause_type>,<reject_cause>] behind, or
// Novatel's <tac>,<rac>,<ci>,<AcT>.
func (r *Registration) place(f []string) {
	if len(f) == 4 && len(f[1]) <= 2 && len(f[3]) <= 2 { // a routing area has two digits, a cell more
		f = []string{f[0], f[2], f[3]}
	}
	if len(f) > 1 {
		tac, err := strconv.ParseUint(f[0], 16, 32)
		if err == nil {
			r.TAC = uint32(tac)
		}
		if ci, err := strconv.ParseUint(f[1], 16, 64); err == nil {
			r.CellID = ci
		}
	}
	if len(f) > 2 {
		if act, err := number("", f[2], 0, 15); err == nil {
			r.AcT = AcT(act)
		}
	}
	if len(f) > 4 && f[3] == "0" && r.Domain != "+C5GREG" { // <cause_type> 0: the cause is EMM's or MM's
		if cause, err := number("", f[4], 0, 255); err == nil {
			r.Cause = cause
		}
	}
}

// registrationCommands in the order of what they say about packet data. A data-only SIM is "+CREG: 0,3" with "+CEREG: 0,5".
var registrationCommands = []string{"+CEREG", "+CGREG", "+CREG"}

// EnableRegistrationURCs asks the modem to announce changes: with the place and the reject cause where it can.
func (m *Modem) EnableRegistrationURCs(ctx context.Context) error {
	for _, cmd := range registrationCommands {
		for _, mode := range []string{"=3", "=2", "=1"} {
			_, err := m.command(ctx, cmd+mode)
			if err == nil {
				break
			}
			if !Refused(err) {
				return fmt.Errorf("asking for registration news: %w", err)
			}
		}
	}
	return nil
}

// Registration reads the registration: of the first domain that is registered for data, else of the first that answers.
func (m *Modem) Registration(ctx context.Context) (Registration, error) {
	var best *Registration
	for _, cmd := range registrationCommands {
		info, err := m.command(ctx, cmd+"?")
		if err != nil && !Refused(err) {
			return Registration{}, fmt.Errorf("reading the registration: %w", err)
		}
		for _, line := range info {
			r, err := ParseRegistration(line)
			if err != nil {
				continue
			}
			if cmd != "+CREG" && r.Stat.Registered() {
				return r, nil
			}
			if best == nil || best.Stat != RegistrationDenied && r.Stat == RegistrationDenied && cmd != "+CREG" {
				best = &r
			}
		}
	}
	if best == nil {
		return Registration{}, fmt.Errorf("reading the registration: %w", errNoLine)
	}
	return *best, nil
}
