package relay

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// certificateAge is how long the files' dates are believed without looking again.
const certificateAge = time.Second

// CertificateFiles is a Config.Certificates that reads a certificate chain and its key from PEM files, and again when one of them changes:
// the next handshake gets the new one, connections that are open go on. While the new files do not fit together, which is so between the
// writing of one and the other, the old ones stay in use.
func CertificateFiles(certFile, keyFile string) func() (*tls.Config, error) {
	return func() (*tls.Config, error) {
		f := &certificateFiles{cert: certFile, key: keyFile}
		if _, err := f.certificate(nil); err != nil {
			return nil, err
		}
		return &tls.Config{GetCertificate: f.certificate}, nil
	}
}

type certificateFiles struct {
	cert, key string

	mu     sync.Mutex
	loaded *tls.Certificate // guarded by mu
	state  [2]fileState     // guarded by mu: of the files that loaded came from, or that could not be used
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
	if err == nil {
		f.loaded, f.state = &cert, now
	}
	return f.loaded, nil // an unusable pair is tried again at the next look
}
