package report

import (
	"encoding/binary"
	"fmt"
)

// tlsRecords follows the records of one direction (RFC 8446 section 5.1) across segments, with two bytes of what is in each.
type tlsRecords struct {
	head      []byte // header and first bytes of a record that is not told yet
	rest      int    // bytes left of a record that is told
	encrypted bool   // a ChangeCipherSpec passed: what follows is not to be read
}

const tlsRecordHeader = 5

// feed tells each record that begins in b; false when there is none where one should be.
func (t *tlsRecords) feed(b []byte, emit emitFunc) bool {
	for len(b) > 0 {
		if t.rest > 0 {
			n := min(t.rest, len(b))
			t.rest -= n
			b = b[n:]
			continue
		}
		t.head = append(t.head, b[0])
		b = b[1:]
		if len(t.head) < tlsRecordHeader {
			continue
		}
		kind, length := t.head[0], int(binary.BigEndian.Uint16(t.head[3:]))
		if kind < 20 || kind > 24 || t.head[1] != 3 || length > 1<<14+2048 {
			return false
		}
		if body := t.head[tlsRecordHeader:]; len(body) < min(length, 2) {
			continue // the first two bytes say which handshake message or alert it is
		}
		t.rest = length - (len(t.head) - tlsRecordHeader)
		t.tell(kind, length, t.head[tlsRecordHeader:], emit)
		t.head = t.head[:0]
	}
	return true
}

// lose skips bytes that the capture does not have. Beyond the record that they are in, the framing is lost with them; feed then
// finds no header, and the stream goes on as plain data.
func (t *tlsRecords) lose(n int) { t.rest = max(t.rest-n, 0) }

var tlsHandshakes = map[byte]string{
	0: "HelloRequest", 1: "ClientHello", 2: "ServerHello", 4: "NewSessionTicket", 8: "EncryptedExtensions", 11: "Certificate",
	12: "ServerKeyExchange", 13: "CertificateRequest", 14: "ServerHelloDone", 15: "CertificateVerify", 16: "ClientKeyExchange", 20: "Finished",
}

var tlsAlerts = map[byte]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure", 42: "bad_certificate",
	43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter",
	48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security",
	80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 109: "missing_extension", 112: "unrecognized_name", 116: "certificate_required", 120: "no_application_protocol",
}

func (t *tlsRecords) tell(kind byte, length int, body []byte, emit emitFunc) {
	size := length + tlsRecordHeader
	switch kind {
	case 20:
		t.encrypted = true
		emit(KindTLS, "ChangeCipherSpec", size)
	case 21:
		label := "encrypted alert"
		if length == 2 && len(body) == 2 {
			label = "alert " + tlsAlerts[body[1]]
			if tlsAlerts[body[1]] == "" {
				label = fmt.Sprintf("alert %d", body[1])
			}
		}
		emit(KindAlert, label, size)
	case 22:
		label := "encrypted handshake"
		if !t.encrypted && len(body) > 0 && tlsHandshakes[body[0]] != "" {
			label = tlsHandshakes[body[0]]
		}
		emit(KindTLS, label, size)
	case 23:
		emit(KindData, "application data", size)
	default:
		emit(KindData, "TLS heartbeat", size)
	}
}
