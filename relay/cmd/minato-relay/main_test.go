package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReferenceIsGoodAndComplete(t *testing.T) {
	b, err := os.ReadFile("../../reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseConfig(b, "/etc/minato")
	if err != nil {
		t.Fatal(err)
	}
	if c.relay.Dir != "/var/lib/minato-relay" || c.relay.Ports != [2]uint16{10000, 32767} || c.relay.Network == nil || c.relay.Directory == nil {
		t.Errorf("read as %+v", c)
	}
}

// TestPackagedConfig: what the Debian package installs is good, and serves this machine alone.
func TestPackagedConfig(t *testing.T) {
	var out, errOut bytes.Buffer
	if status := execute(t.Context(), []string{"config", "check", "../../packaging/root/etc/minato/relay.yaml"}, &out, &errOut); status != 0 {
		t.Fatalf("exit status %d: %s", status, errOut.String())
	}
	c, err := readConfig("../../packaging/root/etc/minato/relay.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if c.relay.API != "127.0.0.1:8080" || c.relay.MappingIP.String() != "127.0.0.1" || c.relay.Dir != "/var/lib/minato-relay" {
		t.Errorf("read as %+v", c)
	}
}

const minimal = "network: {socks: 127.0.0.1:7080}\ndevices: {emulator: http://127.0.0.1:7070}\nstate: state\n"

func TestBadConfigs(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "devices is missing"},
		{"unknown key", minimal + "stat: x\n", `[4:1] unknown field "stat"`},
		{"not YAML", "state: [", "[1:"},
		{"API", minimal + "api: {listen: here}\n", `api.listen: "here" is not allowed: HOST:PORT`},
		{"address", minimal + "mappings: {listen: localhost}\n", `mappings.listen: "localhost" is not allowed`},
		{"all addresses", minimal + "mappings: {listen: 0.0.0.0}\n", "mappings.advertise is missing"},
		{"advertise all", minimal + "mappings: {advertise: \"::\"}\n", "mappings.advertise: \"::\" is not allowed"},
		{"domain", minimal + "mappings: {domain: \"*.x\"}\n", "mappings.domain"},
		{"ports", minimal + "mappings: {ports: \"20000\"}\n", `mappings.ports: "20000" is not allowed: FIRST-LAST`},
		{"ports backwards", minimal + "mappings: {ports: 3-2}\n", "mappings.ports"},
		{"connections", minimal + "mappings: {max-connections: -1}\n", "mappings.max-connections"},
		{"key without certificate", minimal + "tls: {key: x}\n", "tls.cert is missing"},
		{"certificate without key", minimal + "tls: {cert: x}\n", "tls.key is missing"},
		{"certificate and ACME", minimal + "tls: {cert: a, key: b, acme: {domains: [a.example]}}\n", "tls.acme"},
		{"ACME without names", minimal + "tls: {acme: {}}\n", "tls.acme.domains is missing"},
		{"ACME for a wildcard", minimal + "tls: {acme: {domains: [\"*.a.example\"]}}\n", "tls.acme.domains[0]"},
		{"ACME over http", minimal + "tls: {acme: {directory: http://ca, domains: [a.example]}}\n", "tls.acme.directory"},
		{"ACME port", minimal + "tls: {acme: {domains: [a.example], listen: 80}}\n", "tls.acme.listen"},
		{"no client CA", minimal + "tls: {require-client-certificate: true}\n", "tls.client-ca is missing"},
		{"client CA file", minimal + "tls: {client-ca: /dev/null/none}\n", "tls.client-ca: open"},
		{"two networks", strings.Replace(minimal, "{socks: 127.0.0.1:7080}", "{socks: 127.0.0.1:7080, route: true}", 1), "one of network.socks"},
		{"two lists", strings.Replace(minimal, "http://127.0.0.1:7070}", "http://127.0.0.1:7070, file: x}", 1), "one of devices.emulator"},
		{"soracom without a key", strings.Replace(minimal, "emulator: http://127.0.0.1:7070", "soracom: {}", 1), "devices.soracom.auth-key-file is missing"},
		{"soracom's key", strings.Replace(minimal, "emulator: http://127.0.0.1:7070", "soracom: {auth-key-file: /dev/null/none}", 1), "devices.soracom.auth-key-file: reading"},
		{"soracom's URL", strings.Replace(minimal, "emulator: http://127.0.0.1:7070", "soracom: {auth-key-file: x, endpoint: api.soracom.io}", 1), "devices.soracom.endpoint"},
		{"URL", strings.Replace(minimal, "http://127.0.0.1:7070", "127.0.0.1", 1), "devices.emulator"},
		{"no state", strings.Replace(minimal, "state: state", "", 1), "state is missing"},
		{"remember", minimal + "mappings: {remember-ended: -1}\n", "mappings.remember-ended"},
		{"limit", minimal + "limits: {connections-per-sim: -1}\n", "limits.connections-per-sim"},
		{"retention", minimal + "retention: {audit: 1d}\n", `retention.audit: "1d" is not allowed`},
		{"proxy", minimal + "trusted-proxies: [10.0.0.7]\n", `trusted-proxies[0]: "10.0.0.7" is not allowed: CIDR`},
		{"metrics", minimal + "metrics: {listen: 9120}\n", "metrics.listen"},
		{"level", minimal + "log: {level: loud}\n", `log.level: "loud" is not allowed: debug`},
		{"format", minimal + "log: {format: xml}\n", "log.format"},
		{"duration", minimal + "timeouts: {dial: 30}\n", `timeouts.dial: "30" is not allowed`},
		{"no silence", minimal + "timeouts: {silence: 0s}\n", "timeouts.silence"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseConfig([]byte(tt.text), "."); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// The names to have certificates of are the mappings' host name, unless others are named.
func TestACMEConfig(t *testing.T) {
	c, err := parseConfig([]byte(minimal+"mappings: {listen: 0.0.0.0, advertise: 203.0.113.7, domain: relay.example}\ntls: {acme: {email: a@relay.example}}\n"), ".")
	if err != nil {
		t.Fatal(err)
	}
	if a := c.relay.ACME; a == nil || len(a.Domains) != 1 || a.Domains[0] != "203-0-113-7.relay.example" || a.Email != "a@relay.example" {
		t.Errorf("%+v", a)
	}
}

// An error says where it stands, as the parser's own do.
func TestErrorsHaveAPlace(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"mappings:\n  listen: localhost\n", "[2:11] mappings.listen: "},
		{"trusted-proxies:\n  - 10.0.0.0/8\n  - 10.0.0.7\n", "[3:5] trusted-proxies[1]: "},
		{"limits: {rate-per-source: -1}\n", "[1:27] limits.rate-per-source: "},
		{"tls:\n  cert: a.pem\n", "[2:7] tls.key is missing: "},
		{"tls:\n  client-ca: /dev/null/none\n", "[2:14] tls.client-ca: open /dev/null/none"},
		{"", "devices is missing: "},
	} {
		text := tt.text + minimal
		if tt.text == "" {
			text = ""
		}
		if _, err := parseConfig([]byte(text), "."); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(minimal))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseConfig(b, ".")
		if err == nil && (c.relay.Network == nil || c.relay.Directory == nil || c.relay.Dir == "") {
			t.Errorf("a good configuration lacks something: %+v", c)
		}
	})
}

// writeConfig writes a configuration for loopback and gives its name.
func writeConfig(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "relay.yaml")
	text := "api: {listen: 127.0.0.1:0}\nnetwork: {socks: 127.0.0.1:7080}\ndevices: {file: sims.yaml}\nstate: state\ntimeouts: {drain: 0s}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sims.yaml"), []byte("sims: [{simId: a}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// runUntilReady runs the relay until its log says that it is ready, then ends it; it gives what stdout got.
func runUntilReady(t *testing.T, config string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout bytes.Buffer
	logR, logW := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- execute(ctx, []string{"run", "-c", config}, &stdout, logW)
		logW.Close()
	}()
	log := make([]byte, 0, 4096)
	for {
		b := make([]byte, 4096)
		n, err := logR.Read(b)
		log = append(log, b[:n]...)
		if bytes.Contains(log, []byte("relay ready")) {
			cancel()
		}
		if err != nil {
			break
		}
	}
	if s := <-status; s != 0 {
		t.Fatalf("exit status %d, log:\n%s", s, log)
	}
	return stdout.String()
}

// TestStateInUse: what is told to who starts a second relay, or saves what a running one has.
func TestStateInUse(t *testing.T) {
	config := writeConfig(t)
	ctx, cancel := context.WithCancel(t.Context())
	logR, logW := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- execute(ctx, []string{"run", "-c", config}, io.Discard, logW)
		logW.Close()
	}()
	log := bufio.NewScanner(logR)
	for log.Scan() && !strings.Contains(log.Text(), "relay ready") {
	}
	go io.Copy(io.Discard, logR) // ends with the relay
	for _, tt := range []struct {
		args []string
		hint string
	}{
		{[]string{"run", "-c", config}, "hint: another relay runs on this state folder"},
		{[]string{"backup", "-c", config, "saved"}, "hint: backup and restore work while the relay is stopped"},
	} {
		var out bytes.Buffer
		if got := execute(t.Context(), tt.args, &out, &out); got != exitUnreachable || !strings.Contains(out.String(), tt.hint) {
			t.Errorf("%v: exit status %d, want %q:\n%s", tt.args, got, tt.hint, &out)
		}
	}
	cancel()
	if s := <-status; s != 0 {
		t.Errorf("exit status %d", s)
	}
}

var keyLines = regexp.MustCompile(`^authKeyId: (keyId-\S+)\nauthKey:   secret-[0-9a-f]{64}\n$`)

func TestRunAndKeys(t *testing.T) {
	config := writeConfig(t)
	run := func(want int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if got := execute(t.Context(), args, &stdout, &stderr); got != want {
			t.Fatalf("%v: exit status %d, want %d\n%s", args, got, want, stderr.String())
		}
		return stdout.String() + stderr.String()
	}
	if out := run(0, "config", "check", config); !strings.Contains(out, "good") {
		t.Errorf("config check: %s", out)
	}
	first := keyLines.FindStringSubmatch(runUntilReady(t, config))
	if first == nil {
		t.Fatal("the first start does not print the admin key")
	}
	if out := runUntilReady(t, config); out != "" {
		t.Errorf("the second start prints %q", out)
	}
	second := keyLines.FindStringSubmatch(run(0, "key", "create", "-c", config, "--name", "ci"))
	if second == nil {
		t.Fatal("key create does not print the key")
	}
	if out := run(0, "key", "list", "-c", config); !strings.Contains(out, first[1]) || !strings.Contains(out, second[1]+"  admin") || strings.Contains(out, "secret-") {
		t.Errorf("key list: %s", out)
	}
	run(0, "key", "revoke", "-c", config, first[1])
	if out := run(0, "key", "list", "-c", config); strings.Contains(out, first[1]) {
		t.Errorf("key list after revoke: %s", out)
	}
	third := keyLines.FindStringSubmatch(run(0, "key", "create", "-c", config, "--role", "viewer", "--sim", "1", "--sim", "2", "--tag", "site=osaka"))
	if third == nil {
		t.Fatal("key create does not print the key")
	}
	saved, moved := filepath.Join(t.TempDir(), "saved"), writeConfig(t)
	run(0, "backup", "-c", config, saved)
	if out := run(3, "backup", "-c", config, saved); !strings.Contains(out, "exists") || !strings.Contains(out, "hint: name a file that is not there yet") {
		t.Errorf("backup over a file: %s", out)
	}
	run(0, "restore", "-c", moved, saved)
	if out := run(0, "key", "list", "-c", moved); !regexp.MustCompile(third[1] + `  viewer  \S+ +--sim 1  --sim 2  --tag site=osaka\n`).MatchString(out) {
		t.Errorf("key list after restore: %s", out)
	}
	if out := run(3, "restore", "-c", moved, saved); !strings.Contains(out, "not empty") {
		t.Errorf("restore over a state: %s", out)
	}
	if out := run(1, "key", "revoke", "-c", config, first[1]); !strings.Contains(out, "minato-relay: error: revoking key") {
		t.Errorf("revoking twice: %s", out)
	}
}

func TestExitStatus(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	taken := filepath.Join(t.TempDir(), "taken.yaml")
	text := "api: {listen: \"" + held.Addr().String() + "\"}\nnetwork: {socks: 127.0.0.1:7080}\ndevices: {emulator: http://127.0.0.1:7070}\nstate: state\n"
	if err := os.WriteFile(taken, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want int
		says string
	}{
		{"no command", nil, exitUsage, "error: expected one of"},
		{"unknown flag", []string{"run", "--fast"}, exitUsage, "hint: see minato-relay run --help"},
		{"help", []string{"--help"}, 0, "Examples:"},
		{"version", []string{"--version"}, 0, version() + "\n"},
		{"no file", []string{"run", "-c", "missing.yaml"}, exitUsage, "missing.yaml"},
		{"API's port is taken", []string{"run", "-c", taken}, exitUnreachable, "opening the API's address"},
		{"API's port is taken: the cure", []string{"run", "-c", taken}, exitUnreachable, "hint: another program has this address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if got := execute(t.Context(), tt.args, &out, &out); got != tt.want || !strings.Contains(out.String(), tt.says) {
				t.Errorf("exit status %d, want %d and %q:\n%s", got, tt.want, tt.says, out.String())
			}
		})
	}
}
