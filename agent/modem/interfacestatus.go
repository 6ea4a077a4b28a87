package modem

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"minato/agent/atline"
)

// statusRead is a vendor's way to tell whether its network interface is connected.
type statusRead struct {
	cmd    string
	parse  func(line string, cid int) (connected bool, err error)
	silent bool // it has no line while nothing is connected
}

var errNoStatus = errors.New("the modem does not tell whether its network interface is connected")

// InterfaceConnected reads whether the modem's network interface is connected to a context. That the context is active (+CGACT?) does not
// tell: on LTE it is from the attachment on. known is false where the modem does not tell.
func (m *Modem) InterfaceConnected(ctx context.Context, cid int) (connected, known bool, err error) {
	connected, err = m.interfaceStatus(ctx, cid)
	if Refused(err) || errors.Is(err, errNoStatus) {
		return false, false, nil
	}
	return connected, err == nil, err
}

func (m *Modem) interfaceStatus(ctx context.Context, cid int) (bool, error) {
	v := m.vendor().Interface
	if v == nil || v.Status == nil {
		return false, errNoStatus
	}
	info, err := m.command(ctx, v.Status.cmd)
	if err != nil {
		return false, fmt.Errorf("reading the state of the network interface: %w", err)
	}
	if len(info) == 0 && v.Status.silent {
		return false, nil
	}
	told, bad := false, error(nil)
	for _, line := range info {
		switch connected, err := v.Status.parse(line, cid); {
		case err != nil:
			bad = errors.Join(bad, err)
		case connected:
			return true, nil
		default:
			told = true // of this connection that there is none, or of another one
		}
	}
	if !told {
		return false, errors.Join(errNoStatus, bad)
	}
	return false, nil
}

// lacksInterface tells that the modem knows neither the command that it refused nor the one for the interface's state, as the EC25: what it
// does not know gets a plain ERROR, what the network refuses a number. Such a modem connects by itself, or the system connects it.
func lacksInterface(refusal, status error) bool {
	return errors.Is(refusal, atline.ErrError) && errors.Is(status, atline.ErrError)
}

// parseQNETDEVCTL reads Quectel's +QNETDEVCTL: <type>,<cid>,<URC>,<state>, which is 0,0,0,0 with nothing connected. In the families that
// put the context first the line has three values.
func parseQNETDEVCTL(line string, cid int) (bool, error) {
	f, err := values(line, "+QNETDEVCTL", 4)
	if err != nil {
		return false, err
	}
	if len(f) != 4 {
		return false, fmt.Errorf("%.80q has %d values, not 4", line, len(f))
	}
	n, err := numbers(f, 3, 255, 1, 1)
	return err == nil && n[0] != 0 && n[1] == cid && n[3] == 1, err
}

// parseQCRMCALL reads Qualcomm's $QCRMCALL: <state>,V4 or V6, a line for each call that is up.
func parseQCRMCALL(line string, _ int) (bool, error) {
	f, err := values(line, "$QCRMCALL", 2)
	if err != nil {
		return false, err
	}
	if f[1] != "V4" && f[1] != "V6" {
		return false, fmt.Errorf("%.80q: %.20q is neither V4 nor V6", line, f[1])
	}
	n, err := numbers(f[:1], 1)
	return err == nil && n[0] == 1 && f[1] == "V4", err
}

// parseCNACT reads the SIM7080's +CNACT: <index>,<status>,<address>, a line for each of its four connections; 2 is one that is coming up.
func parseCNACT(line string, _ int) (bool, error) {
	f, err := values(line, "+CNACT", 3)
	if err != nil {
		return false, err
	}
	n, err := numbers(f[:2], 3, 2)
	return err == nil && n[0] == 0 && n[1] == 1, err
}

// parseNDISSTATQRY reads Huawei's ^NDISSTATQRY: <state>,<error>,<WX state>,<type>, with a line for each type, or both in one, or the state
// alone, which is IPv4's; the types with quotation marks or without, the name also as ^NDISSTATQry. 2 is connecting, 3 disconnecting.
func parseNDISSTATQRY(line string, _ int) (bool, error) {
	f, err := values(strings.ToUpper(line), "^NDISSTATQRY", 1)
	if err != nil {
		return false, err
	}
	if len(f) == 1 {
		f = append(f, "", "", "IPV4")
	}
	if len(f) != 4 && len(f) != 8 {
		return false, fmt.Errorf("%.80q has %d values, not 1, 4 or 8", line, len(f))
	}
	connected := false
	for ; len(f) > 0; f = f[4:] {
		if f[3] != "IPV4" && f[3] != "IPV6" {
			return false, fmt.Errorf("%.80q: %.20q is neither IPV4 nor IPV6", line, f[3])
		}
		n, err := numbers(f[:1], 3)
		if err != nil {
			return false, err
		}
		connected = connected || n[0] == 1 && f[3] == "IPV4"
	}
	return connected, nil
}

// numbers reads values from 0 to their limits.
func numbers(f []string, limits ...int) ([]int, error) {
	out := make([]int, len(f))
	for i := range f {
		n, err := number("a value of the interface's state", f[i], 0, limits[i])
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}
