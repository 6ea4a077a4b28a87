package main

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"strings"

	"minato/relay"
)

// tlsFile is the part tls of the configuration file.
type tlsFile struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	ACME *struct {
		Directory string   `yaml:"directory"`
		Email     string   `yaml:"email"`
		Domains   []string `yaml:"domains"`
		CA        string   `yaml:"ca"`
		Listen    string   `yaml:"listen"`
	} `yaml:"acme"`
	ClientCA                 string `yaml:"client-ca"`
	RequireClientCertificate bool   `yaml:"require-client-certificate"`
}

func tlsPart(f *fileConfig, dir string, c *config) (err error) {
	t := f.TLS
	switch {
	case t.ACME != nil && (t.Cert != "" || t.Key != ""):
		return badField("tls.acme", "beside tls.cert", "one of them")
	case t.ACME != nil:
		err = acmePart(f, dir, c)
	case t.Cert == "" && t.Key == "": // a private CA
	case t.Cert == "":
		err = badField("tls.cert", "", "the file of the certificate chain (PEM)")
	case t.Key == "":
		err = badField("tls.key", "", "the file of the certificate's key (PEM)")
	default:
		c.relay.Certificates = relay.CertificateFiles(inDir(dir, t.Cert), inDir(dir, t.Key))
	}
	if err != nil {
		return err
	}
	if t.RequireClientCertificate && t.ClientCA == "" {
		return badField("tls.client-ca", "", "the file of the CA (PEM) whose certificates tls.require-client-certificate asks for")
	}
	c.relay.RequireClientCertificates = t.RequireClientCertificate
	c.relay.ClientCAs, err = poolFile("tls.client-ca", dir, t.ClientCA)
	return err
}

func acmePart(f *fileConfig, dir string, c *config) (err error) {
	t := f.TLS.ACME
	a := &relay.ACME{Directory: t.Directory, Email: t.Email, Domains: t.Domains, Listen: t.Listen}
	if t.Directory != "" {
		if u, err := url.Parse(t.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
			return badField("tls.acme.directory", t.Directory, "an https:// URL such as "+relay.LetsEncrypt)
		}
	}
	if len(a.Domains) == 0 {
		name := relay.Hostname(c.relay.Advertise, c.relay.Domain)
		if name == "" {
			return badField("tls.acme.domains", "", "the names to have certificates of; or set mappings.domain and mappings.advertise")
		}
		a.Domains = []string{name}
	}
	for i, d := range a.Domains {
		if d == "" || strings.ContainsAny(d, "/: *") || !strings.Contains(d, ".") {
			return badField(fmt.Sprintf("tls.acme.domains[%d]", i), d, "a host name such as 203-0-113-7.relay.example.com; http-01 proves no wildcard")
		}
	}
	if t.Listen != "" {
		if err := hostPort("tls.acme.listen", t.Listen); err != nil {
			return err
		}
	}
	if a.Roots, err = poolFile("tls.acme.ca", dir, t.CA); err != nil {
		return err
	}
	c.relay.ACME = a
	return nil
}

// poolFile reads CA certificates; no file, no pool.
func poolFile(field, dir, name string) (*x509.CertPool, error) {
	if name == "" {
		return nil, nil
	}
	b, err := os.ReadFile(inDir(dir, name))
	if err != nil {
		return nil, badFile(field, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, badField(field, name, "a file of CA certificates (PEM)")
	}
	return pool, nil
}
