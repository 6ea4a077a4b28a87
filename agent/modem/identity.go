package modem

import (
	"context"
	"fmt"
	"strings"
)

// Identity is who the modem is.
type Identity struct {
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	Revision     string `json:"revision"`
	IMEI         string `json:"imei"`
	Profile      string `json:"profile"` // how it is driven: a vendor, or "generic"
}

// Identify reads +CGMI, +CGMM, +CGMR and +CGSN (27.007, 5.1 to 5.4), and chooses the vendor's profile.
func (m *Modem) Identify(ctx context.Context) (Identity, error) {
	var id Identity
	for _, q := range []struct {
		to   *string
		cmds []string
	}{
		{&id.Manufacturer, []string{"+CGMI", "+GMI"}},
		{&id.Model, []string{"+CGMM", "+GMM"}},
		{&id.Revision, []string{"+CGMR", "+GMR"}},
		{&id.IMEI, []string{"+CGSN", "+GSN"}},
	} {
		info, err := m.first(ctx, q.cmds...)
		if Refused(err) {
			continue // a modem without the one may have the others
		}
		if err != nil {
			return Identity{}, fmt.Errorf("identifying the modem: %w", err)
		}
		*q.to = bareValue(info[0])
	}
	if id == (Identity{}) {
		return Identity{}, fmt.Errorf("identifying the modem: it refuses +CGMI, +CGMM, +CGMR and +CGSN")
	}
	if imei, err := parseIMEI(id.IMEI); err == nil {
		id.IMEI = imei
	} else {
		m.log.Warn("the modem's serial number is no IMEI", "value", id.IMEI)
	}
	p := profileFor(id.Manufacturer, id.Model)
	m.mu.Lock()
	m.profile = p
	m.mu.Unlock()
	id.Profile = p.Name
	return id, nil
}

func (m *Modem) vendor() *Profile {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.profile
}

// bareValue takes a name off that some firmware puts before a bare value: "+CGMR: LE20B03SIM7600M21-A".
func bareValue(line string) string {
	if strings.HasPrefix(line, "+") {
		if _, v, ok := strings.Cut(line, ":"); ok {
			line = v
		}
	}
	return unquote(line)
}

// parseIMEI takes the first fifteen digits; a software version or a serial number may follow.
func parseIMEI(s string) (string, error) {
	if len(s) < 14 || !digits(s[:min(15, len(s))]) {
		return "", fmt.Errorf("%.40q is not an IMEI", s)
	}
	return s[:min(15, len(s))], nil
}

// IMSI reads the subscriber's identity (27.007, 5.6). The SIM must be ready.
func (m *Modem) IMSI(ctx context.Context) (string, error) {
	info, err := m.first(ctx, "+CIMI")
	if err != nil {
		return "", fmt.Errorf("reading the IMSI: %w", err)
	}
	imsi := bareValue(info[0])
	if !digits(imsi) || len(imsi) < 6 || len(imsi) > 15 {
		return "", fmt.Errorf("reading the IMSI: %.40q is not one", imsi)
	}
	return imsi, nil
}

// ICCID reads the SIM's number. It can be read before the PIN on most modems.
func (m *Modem) ICCID(ctx context.Context) (string, error) {
	info, err := m.first(ctx, m.vendor().ICCID...)
	if err != nil {
		return "", fmt.Errorf("reading the ICCID: %w", err)
	}
	iccid, err := parseICCID(info[0])
	if err != nil {
		return "", fmt.Errorf("reading the ICCID: %w", err)
	}
	m.mu.Lock()
	m.iccid = iccid
	m.mu.Unlock()
	return iccid, nil
}

// parseICCID reads the forms of the vendors: a bare number, a named one, two in a line (Sierra: the first counts), one with the
// filler F at its end, and one with its digits swapped in pairs (Huawei), which an ICCID's leading 89 gives away.
func parseICCID(line string) (string, error) {
	v := bareValue(line)
	v, _, _ = strings.Cut(v, ",")
	v = strings.ToUpper(unquote(v))
	if strings.HasPrefix(v, "98") && len(v)%2 == 0 {
		b := []byte(v)
		for i := 0; i+1 < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
		v = string(b)
	}
	v = strings.TrimRight(v, "F")
	if !digits(v) || len(v) < 18 || len(v) > 20 {
		return "", fmt.Errorf("%.40q is not an ICCID", line)
	}
	return v, nil
}
