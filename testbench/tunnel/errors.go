package tunnel

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"minato/testbench/neterr"
)

// Error is a failure told in one sentence, with what to do about it.
type Error struct {
	Text string // what happened
	Hint string // what to do; may be ""
	Err  error  // what the network or TLS said
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.Err }

// Hint is what to do about an error of this package; "" when it has nothing to say.
func Hint(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	var c *ConfError
	if errors.As(err, &c) {
		return c.Hint
	}
	return ""
}

func explainListen(err error, accept string) *Error {
	_, port, _ := net.SplitHostPort(accept)
	switch {
	case neterr.AddrInUse(err):
		return &Error{fmt.Sprintf("cannot accept on %s: another program uses the port", accept), "end that program, or accept on another port (0 takes a free one)", err}
	case neterr.Forbidden(err):
		return &Error{fmt.Sprintf("cannot accept on %s: port %s is not allowed for this user", accept, port), "accept on a port above 1023", err}
	case neterr.AddrNotAvail(err):
		return &Error{fmt.Sprintf("cannot accept on %s: this computer has no such address", accept), "accept on 127.0.0.1", err}
	}
	return &Error{fmt.Sprintf("cannot accept on %s: %v", accept, err), "", err}
}

func (c Config) explainDial(err error) *Error {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && !dns.IsTimeout:
		return &Error{fmt.Sprintf("cannot connect to %s: the name %q is not known", c.Connect, dns.Name), "check the host name for a typing error, and that this computer resolves names", err}
	case neterr.Timeout(err):
		return &Error{fmt.Sprintf("cannot connect to %s: no answer", c.Connect), "a firewall on the way may block the port: offices often allow only 80 and 443; try another network", err}
	case neterr.Refused(err):
		return &Error{fmt.Sprintf("cannot connect to %s: refused", c.Connect), "nothing listens there: the port mapping may have ended, or the port is mistyped; list the mappings", err}
	}
	return &Error{fmt.Sprintf("cannot connect to %s: %v", c.Connect, err), "", err}
}

func (c Config) explainHandshake(err error) *Error {
	var (
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		op        *net.OpError
	)
	switch {
	case errors.As(err, &record):
		return &Error{fmt.Sprintf("%s answered without TLS%s", c.Connect, guessProtocol(record.RecordHeader)), "the port mapping has the TLS option off: connect to it without the tunnel, or make the mapping with the option on", err}
	case errors.As(err, &authority):
		return &Error{fmt.Sprintf("the certificate of %s is not signed by an authority that is trusted here", c.Connect), "take the relay's CA certificate (ca.pem in its state directory) and pass it with --ca ca.pem, in a stunnel.conf CAfile = ca.pem", err}
	case errors.Is(err, errNotPinned):
		return &Error{fmt.Sprintf("the certificate of %s is not one of those in %s", c.Connect, c.CAFile), "verifyPeer wants the server's own certificate in CAfile; to trust its authority use verifyChain", err}
	case errors.As(err, &name):
		return &Error{fmt.Sprintf("the certificate of %s is for %s, not for %s", c.Connect, certificateNames(name.Certificate), name.Host), "connect by the host name that the relay gave, or name one of the certificate's own names to check", err}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &Error{fmt.Sprintf("the certificate of %s is not valid at this time: it is from %s to %s", c.Connect, invalid.Cert.NotBefore.Format("2006-01-02"), invalid.Cert.NotAfter.Format("2006-01-02")), "check this computer's clock; when it is right, the server must renew its certificate", err}
	case neterr.Timeout(err):
		return &Error{fmt.Sprintf("%s accepted the connection, but no TLS handshake came", c.Connect), "the service there may not speak TLS and wait for the client, or the device does not answer", err}
	case errors.As(err, &op) && op.Op == "remote error":
		return &Error{fmt.Sprintf("%s refused the TLS handshake: %v", c.Connect, op.Err), "the server wants another TLS version, another host name (SNI) or a client certificate", err}
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || neterr.Reset(err):
		return &Error{fmt.Sprintf("%s closed the connection before the TLS handshake", c.Connect), "the relay refuses so when the mapping has ended, this address is outside its ranges, or the device cannot be reached: its audit log says which", err}
	}
	return &Error{fmt.Sprintf("the TLS handshake with %s failed: %v", c.Connect, err), "", err}
}

func certificateNames(cert *x509.Certificate) string {
	names := cert.DNSNames
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	const most = 4
	switch {
	case len(names) == 0:
		return "no name"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// guessProtocol names what a server says first in plain text, from the five bytes that stood where a TLS record header belongs.
func guessProtocol(header [5]byte) string {
	for prefix, protocol := range map[string]string{"SSH-": "SSH", "RFB ": "VNC", "HTTP": "HTTP", "220 ": "SMTP or FTP"} {
		if strings.HasPrefix(string(header[:]), prefix) {
			return ": it speaks " + protocol
		}
	}
	return ""
}
