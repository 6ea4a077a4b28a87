package relay

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateAge is how long the files' dates are believed without looking again.
const certificateAge = time.Second

// CertificateFiles is a Config.Certificates that reads a certificate chain and its key from PEM files, and again when one of them changes:
// the next handshake gets the new one, connections that are open go on. While the new files do not fit together, which is so between the
// writing of one and the other, the old ones stay in use; where that lasts it is logged.
func CertificateFiles(certFile, keyFile string) func(*slog.Logger) (*tls.Config, error) {
	return func(log *slog.Logger) (*tls.Config, error) {
		f := &certificateFiles{cert: certFile, key: keyFile, log: log}
		if _, err := f.certificate(nil); err != nil {
			return nil, err
		}
		return &tls.Config{GetCertificate: f.certificate}, nil
	}
}

type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate // guarded by mu
	state  [2]fileState     // guarded by mu: of the files that loaded came from
	unfit  *[2]fileState    // guarded by mu: of files that could not be used; nil: there are none
	told   bool             // guarded by mu: that unfit could not be used
	looked time.Time        // guarded by mu
}

type fileState struct {
	modified time.Time
	size     int64
}

// certificate gives the files' certificate, at most a second old.
func (f *certificateFiles) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loaded != nil && time.Since(f.looked) < certificateAge {
		return f.loaded, nil
	}
	f.looked = time.Now()
	var now [2]fileState
	for i, name := range []string{f.cert, f.key} {
		if info, err := os.Stat(name); err == nil {
			now[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	if f.loaded != nil && now == f.state {
		return f.loaded, nil
	}
	cert, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil && f.loaded == nil {
		return nil, fmt.Errorf("reading the certificate %s and its key %s: %w", f.cert, f.key, err)
	}
	if err != nil {
		f.cannotUse(now, err)
		return f.loaded, nil // the pair is tried again at the next look
	}
	if f.loaded != nil {
		f.log.Info("the certificate was read again", "certificate", f.cert, "until", cert.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	f.loaded, f.state, f.unfit = &cert, now, nil
	return f.loaded, nil
}

// cannotUse logs a pair that cannot be used, once, when it is there for a second look: at the first one file may have been written and the other not.
func (f *certificateFiles) cannotUse(now [2]fileState, err error) {
	if f.unfit == nil || *f.unfit != now {
		f.unfit, f.told = &now, false
		return
	}
	if !f.told {
		f.told = true
		f.log.Error("the certificate's files have changed and cannot be used: the certificate before stays in use",
			"certificate", f.cert, "key", f.key, "until", f.loaded.Leaf.NotAfter.UTC().Format(time.RFC3339), "error", err)
	}
}
