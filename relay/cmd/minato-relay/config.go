package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"minato/relay"
	"minato/relay/yamltext"
)

// fileConfig is the configuration file as it is written; relay/reference.yaml documents it.
type fileConfig struct {
	API struct {
		Listen string  `yaml:"listen"`
		TLS    bool    `yaml:"tls"`
		Rate   float64 `yaml:"rate"`
	} `yaml:"api"`
	Metrics struct {
		Listen string `yaml:"listen"`
	} `yaml:"metrics"`
	TrustedProxies []string `yaml:"trusted-proxies"`
	Mappings       struct {
		Listen         string `yaml:"listen"`
		Advertise      string `yaml:"advertise"`
		Domain         string `yaml:"domain"`
		Ports          string `yaml:"ports"`
		MaxConnections int    `yaml:"max-connections"`
		RememberEnded  *int   `yaml:"remember-ended"`
	} `yaml:"mappings"`
	Limits struct {
		PerSource     int     `yaml:"connections-per-source"`
		PerSIM        int     `yaml:"connections-per-sim"`
		RatePerSource float64 `yaml:"rate-per-source"`
	} `yaml:"limits"`
	Retention struct {
		Audit string `yaml:"audit"`
		Calls string `yaml:"calls"`
	} `yaml:"retention"`
	TLS     tlsFile `yaml:"tls"`
	Network struct {
		SOCKS string `yaml:"socks"`
		Route bool   `yaml:"route"`
	} `yaml:"network"`
	Devices struct {
		Emulator string `yaml:"emulator"`
		File     string `yaml:"file"`
		Soracom  *struct {
			AuthKeyFile string `yaml:"auth-key-file"`
			Endpoint    string `yaml:"endpoint"`
			Refresh     string `yaml:"refresh"`
		} `yaml:"soracom"`
	} `yaml:"devices"`
	AgentStatusPort uint16 `yaml:"agent-status-port"`

	State string `yaml:"state"`
	Log   struct {
		Level  string `yaml:"level"`
		Format string `yaml:"format"`
	} `yaml:"log"`
	Timeouts struct {
		Silence   string `yaml:"silence"`
		Handshake string `yaml:"handshake"`
		Dial      string `yaml:"dial"`
		Idle      string `yaml:"idle"`
		Close     string `yaml:"close"`
		Stall     string `yaml:"stall"`
		Drain     string `yaml:"drain"`
	} `yaml:"timeouts"`
}

// config is a configuration that has been checked. Its relay still lacks what the command line gives: the logger and the bootstrap key.
type config struct {
	relay     relay.Config
	logLevel  slog.Level
	logFormat string
}

// readConfig reads and checks a file. Names of files in it are relative to its folder.
func readConfig(path string) (config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	c, err := parseConfig(b, filepath.Dir(path))
	if err != nil {
		return config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseConfig(b []byte, dir string) (config, error) {
	var f fileConfig
	if err := yamltext.Decode(b, &f); err != nil {
		return config{}, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	c := config{logFormat: "text"}
	for _, part := range []func(*fileConfig, string, *config) error{apiPart, mappingsPart, limitsPart, retentionPart, tlsPart, networkPart, statePart, logPart, timeoutsPart} {
		if err := part(&f, dir, &c); err != nil {
			return config{}, placed(b, err)
		}
	}
	return c, nil
}

// fieldError is what is wrong with one field.
type fieldError struct {
	field string // as in mappings.ports, trusted-proxies[0]
	err   error
}

func (e *fieldError) Error() string { return e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

func badField(field, value, allowed string) error {
	if value == "" {
		return &fieldError{field, fmt.Errorf("%s is missing: %s", field, allowed)}
	}
	return &fieldError{field, fmt.Errorf("%s: %q is not allowed: %s", field, value, allowed)}
}

// badFile is badField for a file that a field names.
func badFile(field string, err error) error {
	return &fieldError{field, fmt.Errorf("%s: %w", field, err)}
}

// placed puts before an error where in the file its field stands, [line:column] as the YAML parser does; of a field that is missing, what should
// hold it.
func placed(text []byte, err error) error {
	var at *fieldError
	file, parseErr := parser.ParseBytes(text, 0)
	if !errors.As(err, &at) || parseErr != nil {
		return err
	}
	for field := at.field; field != ""; field = field[:max(strings.LastIndexAny(field, ".["), 0)] {
		path, pathErr := yaml.PathString("$." + field)
		if pathErr != nil {
			continue
		}
		if node, findErr := path.FilterFile(file); findErr == nil && node != nil {
			p := node.GetToken().Position
			return fmt.Errorf("[%d:%d] %w", p.Line, p.Column, err)
		}
	}
	return err
}

func hostPort(field, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return badField(field, value, "HOST:PORT such as 127.0.0.1:8080")
	}
	return nil
}

// inDir makes a file's name absolute, seen from the configuration's folder.
func inDir(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

func apiPart(f *fileConfig, _ string, c *config) error {
	c.relay.API, c.relay.APITLS, c.relay.CallRate, c.relay.Metrics = f.API.Listen, f.API.TLS, f.API.Rate, f.Metrics.Listen
	if f.API.Rate < 0 {
		return badField("api.rate", fmt.Sprint(f.API.Rate), "calls a second, more than 0")
	}
	for i, text := range f.TrustedProxies {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return badField(fmt.Sprintf("trusted-proxies[%d]", i), text, "CIDR notation such as 10.0.0.7/32")
		}
		c.relay.TrustedProxies = append(c.relay.TrustedProxies, p.Masked())
	}
	for _, a := range []struct{ field, value string }{{"api.listen", f.API.Listen}, {"metrics.listen", f.Metrics.Listen}} {
		if a.value == "" {
			continue
		}
		if err := hostPort(a.field, a.value); err != nil {
			return err
		}
	}
	return nil
}

// rememberEnded is how many ports of ended mappings go on to refuse for an hour, unless the file says otherwise.
const rememberEnded = 1000

func limitsPart(f *fileConfig, _ string, c *config) error {
	c.relay.RememberEnded = rememberEnded
	if n := f.Mappings.RememberEnded; n != nil {
		c.relay.RememberEnded = *n
	}
	c.relay.MaxConnections, c.relay.MaxPerSource, c.relay.MaxPerSIM = f.Mappings.MaxConnections, f.Limits.PerSource, f.Limits.PerSIM
	c.relay.RatePerSource = f.Limits.RatePerSource
	for _, n := range []struct {
		field string
		value float64
	}{
		{"mappings.max-connections", float64(f.Mappings.MaxConnections)},
		{"mappings.remember-ended", float64(c.relay.RememberEnded)},
		{"limits.connections-per-source", float64(f.Limits.PerSource)},
		{"limits.connections-per-sim", float64(f.Limits.PerSIM)},
		{"limits.rate-per-source", f.Limits.RatePerSource},
	} {
		if n.value < 0 {
			return badField(n.field, fmt.Sprint(n.value), "a number from 0; 0 is the default, and of remember-ended none")
		}
	}
	return nil
}

func retentionPart(f *fileConfig, _ string, c *config) error {
	for _, d := range []struct {
		field, value string
		into         *time.Duration
	}{{"retention.audit", f.Retention.Audit, &c.relay.AuditAge}, {"retention.calls", f.Retention.Calls, &c.relay.CallAge}} {
		if d.value == "" {
			continue
		}
		v, err := time.ParseDuration(d.value)
		if err != nil || v < time.Minute {
			return badField(d.field, d.value, "a duration from 1m such as 24h or 8784h (366 days)")
		}
		*d.into = v
	}
	return nil
}

func mappingsPart(f *fileConfig, _ string, c *config) error {
	m := f.Mappings
	for _, a := range []struct {
		field, value string
		into         *netip.Addr
	}{
		{"mappings.listen", m.Listen, &c.relay.MappingIP},
		{"mappings.advertise", m.Advertise, &c.relay.Advertise},
	} {
		if a.value == "" {
			continue
		}
		addr, err := netip.ParseAddr(a.value)
		if err != nil || addr.Zone() != "" {
			return badField(a.field, a.value, "an IPv4 or IPv6 address")
		}
		*a.into = addr.Unmap()
	}
	switch listen, advertise := c.relay.MappingIP, c.relay.Advertise; {
	case advertise.IsValid() && advertise.IsUnspecified():
		return badField("mappings.advertise", m.Advertise, "the address that users connect to")
	case listen.IsValid() && listen.IsUnspecified() && !advertise.IsValid():
		return badField("mappings.advertise", "", "with mappings.listen "+m.Listen+" say which address users connect to")
	}
	if strings.ContainsAny(m.Domain, "/: *") || strings.HasPrefix(m.Domain, ".") || strings.HasSuffix(m.Domain, ".") {
		return badField("mappings.domain", m.Domain, "a domain name such as relay.example.com")
	}
	c.relay.Domain = m.Domain
	if m.Ports == "" {
		return nil
	}
	first, last, ok := strings.Cut(m.Ports, "-")
	lo, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	hi, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	if !ok || err1 != nil || err2 != nil || lo == 0 || lo > hi {
		return badField("mappings.ports", m.Ports, "FIRST-LAST such as 10000-32767, from 1 to 65535")
	}
	c.relay.Ports = [2]uint16{uint16(lo), uint16(hi)}
	return nil
}

func statePart(f *fileConfig, dir string, c *config) error {
	if f.State == "" {
		return badField("state", "", "the folder that the relay keeps its state in")
	}
	c.relay.Dir = inDir(dir, f.State)
	return nil
}

func logPart(f *fileConfig, _ string, c *config) error {
	if f.Log.Level != "" {
		if err := c.logLevel.UnmarshalText([]byte(f.Log.Level)); err != nil {
			return badField("log.level", f.Log.Level, "debug, info, warn or error")
		}
	}
	switch f.Log.Format {
	case "":
	case "text", "json":
		c.logFormat = f.Log.Format
	default:
		return badField("log.format", f.Log.Format, "text or json")
	}
	return nil
}

func timeoutsPart(f *fileConfig, _ string, c *config) error {
	t := f.Timeouts
	for _, d := range []struct {
		field, value string
		into         *time.Duration
		zero         time.Duration // what 0s means to the relay; 0: 0s is not allowed
	}{
		{"timeouts.silence", t.Silence, &c.relay.SilenceTimeout, 0},
		{"timeouts.handshake", t.Handshake, &c.relay.HandshakeTimeout, 0},
		{"timeouts.dial", t.Dial, &c.relay.DialTimeout, 0},
		{"timeouts.idle", t.Idle, &c.relay.IdleTimeout, never},
		{"timeouts.close", t.Close, &c.relay.CloseTimeout, 0},
		{"timeouts.stall", t.Stall, &c.relay.StallTimeout, 0},
		{"timeouts.drain", t.Drain, &c.relay.DrainTimeout, -1},
	} {
		if d.value == "" {
			continue
		}
		v, err := time.ParseDuration(d.value)
		if err != nil || v < 0 || v == 0 && d.zero == 0 {
			return badField(d.field, d.value, "a duration such as 5s, 500ms or 2m")
		}
		if *d.into = v; v == 0 && d.zero != never {
			*d.into = d.zero
		}
	}
	return nil
}

// never marks a timeout that 0s turns off, as it does in the relay's own configuration.
const never = time.Duration(1<<63 - 1)
