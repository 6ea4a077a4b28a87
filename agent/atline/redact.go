package atline

import "strings"

// secretCommands hold a PIN or a password; visible is how many of their parameters may be shown.
var secretCommands = []struct {
	name    string
	visible int
}{
	{"+CPIN", 0}, {"+CPIN2", 0}, {"+CPWD", 1}, {"+CLCK", 2}, // 27.007, 8.3, 7.5, 7.4
	{"+CGAUTH", 2},   // 27.007, 10.1.31: cid and protocol
	{"+QICSGP", 3},   // Quectel: cid, type, APN
	{"$QCPDPP", 2},   // Qualcomm
	{"+CNCFG", 3},    // SIMCom: profile, type, APN
	{"^NDISDUP", 3},  // Huawei: cid, connect, APN
	{"+UAUTHREQ", 2}, // u-blox
	{"^AUTHDATA", 2}, // Huawei
	{"+CSIM", 0},     // an APDU may be VERIFY, with the PIN in it

	// What the agent never sends, but people do who look for what is wrong.
	{"+UPSD", 2},                // u-blox: profile, parameter
	{"+XGAUTH", 2},              // Intel, Fibocom: cid, protocol
	{"+CSTT", 1}, {"+SAPBR", 3}, // SIMCom: APN; command, cid, parameter
	{"+QMTCONN", 2}, {"+QFTPCFG", 1}, // Quectel: MQTT client, its id; FTP's "account"
}

// Redact hides the PINs and passwords of a command line or a reply, for logs and messages.
func Redact(text string) string {
	parts := splitCommands(text)
	for i, p := range parts {
		parts[i] = redactPart(p)
	}
	return strings.Join(parts, ";")
}

func redactPart(text string) string {
	for _, s := range secretCommands {
		at := indexFold(text, s.name)
		if at < 0 {
			continue
		}
		rest := strings.TrimLeft(text[at+len(s.name):], " ") // V.250, 5.2.1: blanks mean nothing
		if strings.HasPrefix(rest, "=?") || !strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, ":") {
			continue
		}
		if s.name == "+CPIN" && rest[0] == ':' { // the state of the SIM, not the PIN
			continue
		}
		head := len(text) - len(rest) + 1
		for n := 0; n < s.visible; n++ {
			comma := strings.IndexByte(text[head:], ',')
			if comma < 0 {
				return text
			}
			head += comma + 1
		}
		return text[:head] + "***"
	}
	return text
}

// indexFold is where a name begins in text, in upper or lower case; -1: nowhere. The whole text in upper case is no place to look: of what is no
// UTF-8, as noise on a line, it is longer than the text.
func indexFold(text, name string) int {
	for i := 0; i+len(name) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(name)], name) {
			return i
		}
	}
	return -1
}
