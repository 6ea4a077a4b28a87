package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/cenkalti/backoff/v5"
)

// ACME says where certificates are had by RFC 8555, and renewed in time. The proof that a name is ours is http-01: the CA asks for a file on port
// 80 of it, which has to reach Listen.
type ACME struct {
	Directory string         // URL of the CA's directory; "": Let's Encrypt's
	Email     string         // for the account; "": none
	Domains   []string       // names; required. The first also serves clients that name none.
	Roots     *x509.CertPool // that the directory's own certificate is checked by; nil: the system's
	Listen    string         // HOST:PORT that answers the challenges while there are some; "": ":80"
}

// LetsEncrypt is the directory that is used if none is named.
const LetsEncrypt = certmagic.LetsEncryptProductionCA

// errNoCertificate is what clients are refused with until the first certificate is there.
var errNoCertificate = errors.New("there is no certificate from the ACME server yet")

// acmeManager obtains and renews the certificates, until stop.
type acmeManager struct {
	relay  *Relay
	cfg    ACME
	magic  *certmagic.Config
	cache  *certmagic.Cache
	cancel context.CancelFunc
	wg     sync.WaitGroup
	ready  atomic.Bool // all names have a certificate
}

// startACME gives a configuration that has the certificates as they come. The relay serves meanwhile: mappings with the option OFF need none.
func (r *Relay) startACME(ctx context.Context) (*acmeManager, error) {
	a := &acmeManager{relay: r, cfg: *r.cfg.ACME}
	host, port := "", 80
	if a.cfg.Listen != "" {
		h, p, err := net.SplitHostPort(a.cfg.Listen)
		if err == nil {
			host = h
			port, err = strconv.Atoi(p)
		}
		if err != nil {
			return nil, fmt.Errorf("the address for ACME challenges: %w", err)
		}
	}
	log := zapLogger(r.log.With("part", "acme"))
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		Logger:           log,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage:            acmeStorage{r.store},
		DefaultServerName:  a.cfg.Domains[0],
		FallbackServerName: a.cfg.Domains[0], // clients that know the relay by another name see what it is
		OCSP:               certmagic.OCSPConfig{DisableStapling: true},
		Logger:             log,
	})
	issuer := certmagic.ACMEIssuer{
		CA: a.cfg.Directory, Email: a.cfg.Email, Agreed: true, TrustedRoots: a.cfg.Roots,
		DisableTLSALPNChallenge: true, ListenHost: host, AltHTTPPort: port, Logger: log,
	}
	if issuer.CA == "" {
		issuer.CA = LetsEncrypt
	}
	issuer.TestCA = issuer.CA // not Let's Encrypt's own, which knows nothing of a private CA's names
	a.magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(a.magic, issuer)}
	ctx, a.cancel = context.WithCancel(ctx)
	a.wg.Go(func() { a.manage(ctx) })
	return a, nil
}

// manage asks until all names have a certificate; from then on certmagic renews them. Its own goroutine; ctx ends it.
func (a *acmeManager) manage(ctx context.Context) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 10*time.Second, time.Hour
	for {
		err := a.magic.ManageSync(ctx, a.cfg.Domains)
		if err == nil {
			a.ready.Store(true)
			a.relay.log.Info("ACME certificates are ready", "domains", a.cfg.Domains)
			return
		}
		wait := pause.NextBackOff()
		if ctx.Err() == nil {
			a.relay.log.Error("no ACME certificate: does port 80 of the names reach this relay?", "error", err, "again", wait.Round(time.Second))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (a *acmeManager) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := a.magic.GetCertificate(hello)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCertificate, err)
	}
	return cert, nil
}

// stop ends what is under way.
func (a *acmeManager) stop() {
	a.cancel()
	a.wg.Wait()
	a.cache.Stop()
}
