package recognize

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// Extension numbers (RFC 6066, RFC 7301, RFC 8446).
const (
	extServerName        = 0
	extALPN              = 16
	extSupportedVersions = 43
)

// maxHostName is the longest name of a host (RFC 1035 section 2.3.4). What is longer is none, and is not kept: it would go to the log and the console.
const maxHostName = 255

// parseHello reads the body of a ClientHello (RFC 8446 section 4.1.2; extensions may be absent, RFC 5246 section 7.4.1.2).
func parseHello(body []byte) (Hello, error) {
	var (
		h                              Hello
		random                         []byte
		session, suites, compr, extens cryptobyte.String
	)
	s := cryptobyte.String(body)
	switch {
	case !s.ReadUint16(&h.LegacyVersion) || h.LegacyVersion>>8 != 3:
		return h, errors.New("legacy_version is not 3.x")
	case !s.ReadBytes(&random, 32):
		return h, errors.New("random is cut short")
	case !s.ReadUint8LengthPrefixed(&session) || len(session) > 32:
		return h, errors.New("legacy_session_id is cut short or over 32 bytes")
	case !s.ReadUint16LengthPrefixed(&suites) || len(suites) < 2 || len(suites)%2 != 0:
		return h, errors.New("cipher_suites is cut short, empty or odd")
	case !s.ReadUint8LengthPrefixed(&compr) || len(compr) == 0:
		return h, errors.New("legacy_compression_methods is cut short or empty")
	}
	h.CipherSuites = uint16s(suites)
	if s.Empty() {
		return h, nil
	}
	if !s.ReadUint16LengthPrefixed(&extens) || !s.Empty() {
		return h, errors.New("extensions do not fill the message")
	}
	seen := make(map[uint16]bool)
	for !extens.Empty() {
		var typ uint16
		var data cryptobyte.String
		if !extens.ReadUint16(&typ) || !extens.ReadUint16LengthPrefixed(&data) {
			return h, errors.New("extension is cut short")
		}
		if seen[typ] {
			return h, fmt.Errorf("extension %d twice", typ)
		}
		seen[typ] = true
		if err := h.extension(typ, data); err != nil {
			return h, fmt.Errorf("extension %d: %w", typ, err)
		}
	}
	return h, nil
}

// extension reads those that are of use and skips the others.
func (h *Hello) extension(typ uint16, data cryptobyte.String) (err error) {
	switch typ {
	case extServerName:
		h.ServerName, err = serverName(data)
	case extALPN:
		h.ALPN, err = alpn(data)
	case extSupportedVersions:
		var list cryptobyte.String
		if !data.ReadUint8LengthPrefixed(&list) || !data.Empty() || len(list) < 2 || len(list)%2 != 0 {
			return errors.New("supported_versions is cut short, empty or odd")
		}
		h.SupportedVersions = uint16s(list)
	}
	return err
}

// serverName reads the one host_name of RFC 6066 section 3.
func serverName(data cryptobyte.String) (string, error) {
	var list cryptobyte.String
	if !data.ReadUint16LengthPrefixed(&list) || !data.Empty() || list.Empty() {
		return "", errors.New("server_name list is cut short or empty")
	}
	name := ""
	for !list.Empty() {
		var typ uint8
		var host cryptobyte.String
		if !list.ReadUint8(&typ) || !list.ReadUint16LengthPrefixed(&host) || host.Empty() {
			return "", errors.New("server_name is cut short or empty")
		}
		if typ != 0 || len(host) > maxHostName {
			continue
		}
		if name != "" {
			return "", errors.New("two host names")
		}
		for _, c := range host {
			if c <= ' ' || c > '~' { // it goes to the log and the console
				return "", fmt.Errorf("host name %q has bytes outside printable ASCII", host)
			}
		}
		name = string(host)
	}
	return name, nil
}

// alpn reads the protocol names of RFC 7301 section 3.1.
func alpn(data cryptobyte.String) ([]string, error) {
	var list cryptobyte.String
	if !data.ReadUint16LengthPrefixed(&list) || !data.Empty() || list.Empty() {
		return nil, errors.New("ALPN list is cut short or empty")
	}
	var protocols []string
	for !list.Empty() {
		var p cryptobyte.String
		if !list.ReadUint8LengthPrefixed(&p) || p.Empty() {
			return nil, errors.New("ALPN protocol is cut short or empty")
		}
		if len(p) == 2 && grease(uint16(p[0])<<8|uint16(p[1])) {
			continue
		}
		protocols = append(protocols, string(p))
	}
	return protocols, nil
}

// uint16s reads an even number of bytes, leaving GREASE out.
func uint16s(s cryptobyte.String) []uint16 {
	list := make([]uint16, 0, len(s)/2)
	for !s.Empty() {
		var v uint16
		s.ReadUint16(&v)
		if !grease(v) {
			list = append(list, v)
		}
	}
	return list
}

// grease tells the values that clients send to keep servers tolerant (RFC 8701 section 2): 0x0a0a, 0x1a1a, ... 0xfafa.
func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }
