package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"minato/relay/relayapi"
	"minato/testbench/neterr"
)

// Causes that only the technician's computer can see. The relay's own are R01 to W23, R37 and R38, the agent's A24 to A32.
const (
	RelayUnreachable = "K33"
	ClockSkew        = "K34"
	UntrustedCA      = "K35"
	KeyRefused       = "K36"
)

// Problem is what went wrong: in one sentence, with its code and what to do.
type Problem struct {
	Code string // K33 and so on; "": none of the numbered causes
	Text string
	Cure string
	Err  error // what the network, TLS or the API said; may be nil
}

func (p *Problem) Error() string { return p.Text }
func (p *Problem) Unwrap() error { return p.Err }

// MaxSkew is how wrong a clock may be: certificates and tokens have about an hour of tolerance, audit logs cannot be compared long before.
const MaxSkew = 2 * time.Minute

// Explain says what a call of the relay's API failed by. What is no failure of a call gets no code.
func Explain(err error, base string) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		return known
	}
	var refused *relayapi.Error
	if errors.As(err, &refused) {
		return explainRefusal(refused)
	}
	return explainTransport(err, hostOf(base))
}

func explainRefusal(e *relayapi.Error) *Problem {
	foreign := !strings.HasPrefix(e.Code, "MNT") // none of the API's errors: somebody else answers
	switch {
	case foreign && e.Status == http.StatusProxyAuthRequired:
		return &Problem{RelayUnreachable, "a proxy on the way wants a log-in (407)", "set HTTPS_PROXY with a user, or take a network without a proxy", e}
	case foreign:
		return &Problem{RelayUnreachable, fmt.Sprintf("what answers is not the relay's API: HTTP %d", e.Status),
			"check the URL, also http:// against https://; a proxy or the log-in page of a guest network may answer in the relay's place", e}
	case e.Status == http.StatusUnauthorized:
		return &Problem{KeyRefused, "the relay does not accept the key: " + e.Message, "use the key file that belongs to this relay; if the key was revoked, have a new one made (POST /v1/keys, or minato-relay key create)", e}
	case e.Status == http.StatusForbidden:
		return &Problem{KeyRefused, "the key is not allowed to do this: " + e.Message, "use a key of role operator or admin whose SIMs include this one", e}
	}
	return &Problem{e.Code, "the relay answers: " + e.Message, refusalCure(e), e}
}

// noSIM is the code of the API for a SIM that it does not have.
const noSIM = "MNT0005"

// refusalCure is what to do about what the API refuses, beyond what its message says.
func refusalCure(e *relayapi.Error) string {
	switch {
	case e.Status == http.StatusTooManyRequests:
		return "wait a minute, then try again"
	case e.Status >= http.StatusInternalServerError:
		return "try again; if it stays, ask who runs the relay: its log says more"
	}
	return "correct what it names, and try again"
}

func explainTransport(err error, host string) *Problem {
	var (
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		op        *net.OpError
	)
	unreachable := func(text, cure string) *Problem { return &Problem{RelayUnreachable, text, cure, err} }
	switch {
	case errors.Is(err, context.Canceled):
		return &Problem{"", "interrupted", "", err}
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return unreachable("the proxy of this computer's settings cannot be reached: "+op.Err.Error(), "correct HTTP_PROXY or HTTPS_PROXY, or unset it")
	case errors.As(err, &authority):
		return &Problem{UntrustedCA, "the relay's certificate is not signed by an authority that this computer trusts", installCA, err}
	case errors.As(err, &name):
		return &Problem{UntrustedCA, fmt.Sprintf("the relay's certificate is not for %s", host), "use the host name in the certificate as it was given to you, not an address or another name", err}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return explainExpiry(invalid, err)
	case errors.As(err, &invalid):
		return &Problem{UntrustedCA, "the relay's certificate is not good: " + invalid.Error(), installCA, err}
	case errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch):
		return unreachable(fmt.Sprintf("%s does not speak TLS", host), "the relay's API is plain http:// unless api.tls is on: correct the URL's scheme or port")
	case errors.As(err, &dns) && !dns.IsTimeout:
		return unreachable(fmt.Sprintf("the name %q is not known here", dns.Name), "check the URL for a typing error, and that this network resolves names")
	case neterr.Timeout(err):
		return unreachable(fmt.Sprintf("%s does not answer", host), "a firewall on the way may drop it: office networks block unusual ports; try another network, such as a phone's hotspot")
	case neterr.Refused(err):
		return unreachable(fmt.Sprintf("%s refuses connections", host), "is the relay running, and is the port right? a firewall may refuse in its place")
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || neterr.Reset(err):
		return unreachable(fmt.Sprintf("%s ends the connection without an answer", host), "a proxy or firewall on the way, or https:// and http:// taken for each other")
	}
	return unreachable("the relay cannot be called: "+cause(err).Error(), "check the URL and this computer's network")
}

// installCA is the cure for a certificate that is not trusted.
const installCA = "get the relay's root certificate (GET /v1/ca.pem, or STATE/ca.pem on its machine) over a way that you trust, and pass it with --ca FILE, or install it on this computer"

// explainExpiry tells a wrong clock here from a certificate that nobody renewed: the issue is the clock when the certificate is yet to begin.
func explainExpiry(invalid x509.CertificateInvalidError, err error) *Problem {
	now := time.Now()
	if now.Before(invalid.Cert.NotBefore) {
		return &Problem{ClockSkew, fmt.Sprintf("the relay's certificate begins at %s, and this computer's clock says %s", stamp(invalid.Cert.NotBefore), stamp(now)), setClock, err}
	}
	return &Problem{UntrustedCA, fmt.Sprintf("the relay's certificate ended at %s, and this computer's clock says %s", stamp(invalid.Cert.NotAfter), stamp(now)),
		"look at this computer's clock first; when it is right, the relay's certificate must be renewed", err}
}

const setClock = "set this computer's clock (and its time zone), best by network time: certificates and tokens fail otherwise"

// Skew is the problem of a clock that differs from the relay's, nil where it does not. Ahead is positive when this computer's clock is ahead.
func Skew(ahead time.Duration) *Problem {
	if ahead.Abs() <= MaxSkew {
		return nil
	}
	word := "ahead of"
	if ahead < 0 {
		word = "behind"
	}
	return &Problem{ClockSkew, fmt.Sprintf("this computer's clock is %s %s the relay's", ahead.Abs().Round(time.Second), word), setClock, nil}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// cause is an error without the URL that net/http puts before it.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func hostOf(base string) string {
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		return u.Host
	}
	return base
}

// FromReason is a cause as the relay tells it: what happened, and behind the first colon what to do.
func FromReason(code, reason string, err error) *Problem {
	text, cure, _ := strings.Cut(reason, ": ")
	return &Problem{Code: code, Text: text, Cure: cure, Err: err}
}
