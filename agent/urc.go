package agent

import (
	"errors"
	"fmt"
	"strings"

	"minato/agent/atline"
)

// What a modem says unasked that ends a link at once. Everything else that it announces is only a reason to look.
var (
	errRebooted    = errors.New("the modem restarted by itself")
	errSwitchedOff = errors.New("the modem switched itself off")
	errDeactivated = errors.New("the network deactivated the context")
	errDetached    = errors.New("the network detached the modem")
	errByModem     = errors.New("the modem ended the context") // mostly the echo of our own good-bye, whose reason is the better one
)

// bootNames are what modems say when they start: Quectel's and u-blox's RDY, SIMCom's START, Huawei's ^BOOT.
var bootNames = map[string]bool{"RDY": true, "APP RDY": true, "START": true, "^BOOT": true}

// offNames are what they say before they go.
var offNames = map[string]bool{"POWERED DOWN": true, "NORMAL POWER DOWN": true}

// newsNames are the announcements about registration, SIM and context. What they say is not believed: the modem is asked.
var newsNames = map[string]bool{
	"+CREG": true, "+CGREG": true, "+CEREG": true, "+C5GREG": true, "+CGEV": true, "NO CARRIER": true,
	"+CPIN": true, "+QUSIM": true, "+QSIMSTAT": true, "^SIMST": true, "^SRVST": true, "+CFUN": true,
}

// urc takes what the modem says unasked. It never waits: of a flood, the first of each kind is kept.
func (s *session) urc(u atline.URC) {
	name := strings.ToUpper(u.Name())
	var end error
	switch {
	case bootNames[name]:
		end = errRebooted
	case offNames[name]:
		end = errSwitchedOff
	case name == "+CGEV":
		end = packetEvent(u.Line, s.cid)
	}
	if end != nil {
		tell(s.ends, end)
	}
	if beginNames[name] || offNames[name] {
		tell(s.begun, end)
	}
	if end != nil || newsNames[name] {
		s.poke()
	}
}

func tell(to chan<- error, err error) {
	select {
	case to <- err:
	default:
	}
}

// packetEvent reads +CGEV (27.007, 10.1.19) for what ends the context: NW DETACH, ME DETACH, NW PDN DEACT 1, ME PDN DEACT 1,
// NW DEACT "IP","10.0.0.1",1 and its like without the context.
func packetEvent(line string, cid int) error {
	_, event, _ := strings.Cut(line, ":")
	event = strings.ToUpper(strings.TrimSpace(event))
	if strings.HasSuffix(event, " DETACH") {
		if strings.HasPrefix(event, "ME ") {
			return fmt.Errorf("%w (%s)", errByModem, event)
		}
		return fmt.Errorf("%w (%s)", errDetached, event)
	}
	head, values, ok := strings.Cut(event, " DEACT")
	if !ok || head != "NW" && head != "ME" && head != "NW PDN" && head != "ME PDN" {
		return nil
	}
	fields := strings.Split(values, ",")
	place := 2 // <type>, <address>, <cid>
	if strings.HasSuffix(head, "PDN") {
		place = 0
	}
	if len(fields) > place {
		if named := strings.TrimSpace(fields[place]); named != fmt.Sprint(cid) && named != "" {
			return nil
		}
	}
	if strings.HasPrefix(head, "ME") {
		return fmt.Errorf("%w (%.60s)", errByModem, event)
	}
	return fmt.Errorf("%w (%.60s)", errDeactivated, event)
}
