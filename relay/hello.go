package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"minato/relay/recognize"
)

// helloSize is the first buffer for a ClientHello: with X25519MLKEM768 they have some 1700 bytes.
const helloSize = 2 << 10

// undecidedTimeout is how long to wait for more once it is known that the client does not speak TLS, where more bytes would tell what it does speak.
const undecidedTimeout = 500 * time.Millisecond

// firstBytes is what a client said first.
type firstBytes struct {
	bytes    []byte
	hello    recognize.Hello
	protocol recognize.Protocol
	cause    Cause // "": a whole ClientHello is there
	broken   bool  // it is a ClientHello that did not go on
	gone     bool  // the client closed without a byte
	size     int   // bytes that came
}

// recordHeader is a TLS record's: type, version, length 2 (RFC 8446 section 5.1).
const recordHeader = 5

// readHello reads a whole ClientHello, or finds out what it is instead. The client may be silent for timeout; once it has begun a ClientHello
// that counts as a part of the handshake: a lost segment takes TCP seconds to send again. Nothing is sent. Early is what was read before.
func readHello(conn net.Conn, early []byte, timeout, handshake time.Duration) (f firstBytes) {
	buf := append(make([]byte, 0, max(helloSize, len(early))), early...)
	defer func() { f.size = len(buf) }()
	began := time.Now()
	conn.SetReadDeadline(began.Add(timeout)) // an error shows in Read
	notTLS, begun := false, false
	for {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		n, err := len(early), error(nil)
		if early = nil; n == 0 {
			n, err = conn.Read(buf[len(buf):cap(buf)])
			buf = buf[:len(buf)+n]
		}
		more := false
		if n > 0 {
			var state recognize.State
			f.hello, state, _ = recognize.ClientHello(buf)
			f.protocol, more = recognize.FromClient(buf)
			if state == recognize.Complete {
				conn.SetReadDeadline(time.Time{})
				f.bytes, f.protocol = buf, recognize.TLS
				return f
			}
			if state == recognize.NotHello && !notTLS {
				notTLS = true
				conn.SetReadDeadline(time.Now().Add(min(undecidedTimeout, timeout)))
			}
			if state == recognize.NeedMore && !begun && len(buf) >= recordHeader {
				begun = true
				conn.SetReadDeadline(began.Add(max(timeout, handshake)))
			}
		}
		switch {
		case notTLS && (err != nil || !more || len(buf) >= recognize.MaxHello), len(buf) >= recognize.MaxHello:
			f.cause = causeOfFirstBytes(f.protocol)
			return f
		case err == nil:
		case len(buf) > 0:
			f.broken, f.cause = true, CauseNotTLS
			if begun && errors.Is(err, os.ErrDeadlineExceeded) {
				f.cause = CauseStalled // the client has not given up: what it sent is lost
			}
			return f
		case errors.Is(err, os.ErrDeadlineExceeded):
			f.cause = CauseSilentOnTLS
			return f
		default:
			f.gone = true
			return f
		}
	}
}

// Alerts by which a client says that it does not want our certificate (RFC 8446 section 6.2), in crypto/tls's words: the type of an alert that
// came from the peer is not exported.
var certificateAlerts = []string{
	"bad certificate", "unsupported certificate", "revoked certificate", "expired certificate", "unknown certificate", "unknown certificate authority",
}

// Alerts and errors that mean nothing in common.
var commonalityErrors = []string{
	"protocol version not supported", "handshake failure", "insufficient security level",
	"client offered only unsupported versions", "no cipher suite supported by both client and server",
}

// Errors about the certificate that a client was asked for, beside those of its chain.
var clientCertificateErrors = []string{"client didn't provide a certificate", "client certificate", "client sent certificate"}

// causeOfHandshake is why a handshake failed that began with a good ClientHello; "" for what has no number, such as a client that went away.
func causeOfHandshake(h recognize.Hello, err error) Cause {
	if chain := (*tls.CertificateVerificationError)(nil); errors.As(err, &chain) { // first: its words are in part the client's
		return CauseClientCertificate
	}
	if h.MaxVersion() < tls.VersionTLS12 {
		return CauseTLSTooOld
	}
	if errors.Is(err, io.EOF) {
		return ""
	}
	text := err.Error()
	for _, s := range commonalityErrors {
		if strings.Contains(text, s) {
			return CauseTLSTooOld
		}
	}
	for _, s := range certificateAlerts {
		if strings.Contains(text, s) {
			return CauseCertificateRejected
		}
	}
	for _, s := range clientCertificateErrors {
		if strings.Contains(text, s) {
			return CauseClientCertificate
		}
	}
	return ""
}

// causeOfDial is why the device was not reached; "" where whoever wanted it has gone.
func causeOfDial(err error) Cause {
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, ErrNetwork), errors.Is(err, ErrDirectory): // also where it took too long
		return CauseNetworkUnreachable
	case errors.Is(err, ErrRefused):
		return CauseDeviceRefused
	case errors.Is(err, ErrTimeout):
		return CauseDeviceTimeout
	case errors.Is(err, ErrOffline), errors.Is(err, ErrUnknownSIM):
		return CauseSIMOffline
	}
	return CauseNetworkUnreachable
}
