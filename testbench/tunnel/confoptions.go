package tunnel

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// confOptions apply a value; they give what was wanted when the value is not that. Names are stunnel's own, in lower case.
var confOptions = map[string]func(s *service, value string) (want string){
	"client": func(s *service, v string) string { return yesNo(v, &s.client) },
	"accept": func(s *service, v string) string {
		s.Accept = confAddress(v, "")
		return wantAddress(s.Accept)
	},
	"connect": func(s *service, v string) string {
		s.Connect = confAddress(v, "localhost")
		return wantIf(strings.HasPrefix(v, ":") || wantAddress(s.Connect) != "", "[HOST:]PORT, with a port from 0 to 65535")
	},
	"verifychain": func(s *service, v string) string { return yesNo(v, &s.byChain) },
	"verifypeer":  func(s *service, v string) string { return yesNo(v, &s.byPeer) },
	"checkhost": func(s *service, v string) string {
		s.CheckHost = append(s.CheckHost, v)
		return wantIf(v == "", "a host name")
	},
	"checkip": func(s *service, v string) string {
		ip, err := netip.ParseAddr(v)
		s.CheckIP = append(s.CheckIP, ip)
		return wantIf(err != nil, "an IP address")
	},
	"cafile": func(s *service, v string) string {
		s.CAFile = v
		return wantIf(v == "", "a file")
	},
	"sni": func(s *service, v string) string {
		s.ServerName = v
		return wantIf(v == "", "a host name")
	},
	"timeoutconnect": func(s *service, v string) string { return seconds(v, &s.ConnectTimeout) },
	"timeoutidle":    func(s *service, v string) string { return seconds(v, &s.IdleTimeout) },
	"timeoutclose":   func(s *service, v string) string { return seconds(v, &s.CloseTimeout) },
	"options": func(_ *service, v string) string {
		return wantIf(!slices.Contains(heldOptions, strings.ToUpper(v)), "one of "+strings.Join(heldOptions, ", "))
	},
	"sslversionmin": func(_ *service, v string) string {
		return wantIf(!strings.EqualFold(v, "TLSv1.2"), "TLSv1.2, which always holds here")
	},
}

// confNames are for a message: every name as stunnel's manual writes it.
func confNames() []string {
	names := []string{"client", "accept", "connect", "verifyChain", "verifyPeer", "checkHost", "checkIP", "CAfile", "sni", "TIMEOUTconnect", "TIMEOUTidle", "TIMEOUTclose", "options", "sslVersionMin"}
	return append(names, slices.Sorted(maps.Keys(tolerated))...)
}

// heldOptions hold here in any case, so that asking for them is no lie.
var heldOptions = []string{"NO_SSLV2", "NO_SSLV3", "NO_TLSV1", "NO_TLSV1.1"}

// repeatable options add up; others may stand once in a section.
var repeatable = map[string]bool{"checkhost": true, "checkip": true, "options": true}

// tolerated are about stunnel's own process and log, not about what passes.
var tolerated = map[string]bool{"foreground": true, "pid": true, "debug": true, "output": true, "syslog": true, "log": true, "service": true, "socket": true, "delay": true, "taskbar": true}

// unsupported options that a stunnel.conf often has, and what to do instead.
var unsupported = map[string]string{
	"cert":             "client certificates are not supported: delete cert and key",
	"key":              "client certificates are not supported: delete cert and key",
	"capath":           "put the certificates into one PEM file and name it with CAfile",
	"verify":           "it is obsolete in stunnel too: write verifyChain = yes or verifyPeer = yes",
	"protocol":         "protocol negotiation is not supported: only TLS from the first byte",
	"protocolhost":     "proxies are not supported: connect to the relay itself",
	"exec":             "start the program yourself and let it connect to the accept port",
	"include":          "copy the included lines into this file",
	"ciphers":          "delete the line: the cipher suites are chosen safely",
	"ciphersuites":     "delete the line: the cipher suites are chosen safely",
	"sslversion":       "delete the line: TLS 1.2 and 1.3 are always offered",
	"sslversionmax":    "delete the line: TLS 1.2 and 1.3 are always offered",
	"pskidentity":      "pre-shared keys are not supported: use certificates",
	"psksecrets":       "pre-shared keys are not supported: use certificates",
	"setuid":           "start the program as that user",
	"setgid":           "start the program as that group",
	"chroot":           "delete the line: the tunnel opens no file after its start",
	"fips":             "delete the line",
	"timeoutbusy":      "write TIMEOUTconnect, which here includes the TLS handshake",
	"failover":         "give one connect address",
	"transparent":      "transparent proxying needs root and is not supported",
	"crlfile":          "revocation lists are not supported: delete the line, or pin the server with verifyPeer",
	"local":            "delete the line: the system chooses the source address",
	"engine":           "delete the line: engines are OpenSSL's",
	"checkemail":       "use checkHost or checkIP",
	"ocspaia":          "revocation checks are not supported: delete the line, or pin the server with verifyPeer",
	"requirecert":      "it is for servers: delete the line",
	"redirect":         "it is for servers: delete the line",
	"sessioncachesize": "delete the line",
}

func yesNo(value string, set *bool) string {
	switch strings.ToLower(value) {
	case "yes":
		*set = true
	case "no":
		*set = false
	default:
		return "yes or no"
	}
	return ""
}

// seconds: stunnel's 0 means at once, which a Config cannot say with 0.
func seconds(value string, set *time.Duration) string {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return "a number of seconds"
	}
	*set = max(time.Duration(n)*time.Second, time.Millisecond)
	return ""
}

// confAddress reads [HOST:]PORT; the host of a bare IPv6 address ends at the last colon, as in stunnel.
func confAddress(value, host string) string {
	port := value
	if i := strings.LastIndexByte(value, ':'); i >= 0 {
		host, port = strings.TrimSuffix(strings.TrimPrefix(value[:i], "["), "]"), value[i+1:]
	}
	return net.JoinHostPort(host, port)
}

func wantAddress(address string) string {
	_, _, err := splitHostPort(address)
	return wantIf(err != nil, "[HOST:]PORT, with a port from 0 to 65535")
}

func wantIf(wrong bool, want string) string {
	if wrong {
		return want
	}
	return ""
}
