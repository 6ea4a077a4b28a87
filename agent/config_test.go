package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the Debian package installs is valid, has every sample service off, and leaves the state to systemd.
func TestPackagedConfig(t *testing.T) {
	c, err := Load("packaging/root/etc/minato/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Services {
		if strings.HasPrefix(s.Target, "builtin:") {
			t.Errorf("the sample service %s is on", s.Target)
		}
	}
	if c.StateDir != "" || c.StatusSocket != "/run/minato/agent.sock" {
		t.Errorf("state_dir %q, status_socket %q", c.StateDir, c.StatusSocket)
	}
}

// The reference file is valid, and names every field.
func TestReference(t *testing.T) {
	b, err := os.ReadFile("reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load("reference.yaml"); err != nil {
		t.Fatal(err)
	}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Slice:
			walk(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				f := typ.Field(i)
				key := f.Tag.Get("yaml")
				if key == "-" {
					continue
				}
				if !strings.Contains(string(b), key+":") {
					t.Errorf("%s.%s (%s) is not in reference.yaml", typ, f.Name, key)
				}
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

const minimal = "modem: {port: /dev/ttyUSB2}\nservices: [{port: 80, target: builtin:http}]\n"

func TestSoracomIsBuiltIn(t *testing.T) {
	c, err := Parse([]byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	c.setDefaults()
	want := NetworkConfig{APN: "soracom.io", Type: "IP", CID: 1, Auth: "chap", User: "sora", Password: "sora", EchoInterval: c.Network.EchoInterval, EchoFailures: c.Network.EchoFailures}
	if d := cmp.Diff(want, c.Network); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	other, err := Parse([]byte(minimal + "network: {apn: internet}\n"))
	if err != nil {
		t.Fatal(err)
	}
	other.setDefaults()
	if other.Network.User != "" || other.Network.Auth != "none" {
		t.Errorf("another APN got %+v", other.Network)
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	pin := filepath.Join(dir, "pin")
	if err := os.WriteFile(pin, []byte("1234\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Parse([]byte("modem: {port: x, pin_file: " + pin + "}\nservices: [{port: 80, target: builtin:http}]\n"))
	if err != nil || c.Modem.PIN != "1234" {
		t.Errorf("PIN %q, %v", c.Modem.PIN, err)
	}
	for _, bad := range []string{"modem: {port: x, pin: '1234', pin_file: " + pin + "}\n", "modem: {port: x, pin_file: " + dir + "/absent}\n"} {
		_, err := Parse([]byte(bad))
		if errors.Is(err, fs.ErrNotExist) != strings.Contains(bad, "absent") {
			t.Errorf("%q: %v: whether the file is not there is not told", bad, err)
		}
		if err == nil || !strings.Contains(err.Error(), "[1:") || !strings.Contains(err.Error(), "modem.pin_file") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A PIN or a password that looks like a number to YAML is what stands in the file: one wrong digit costs one of three tries.
func TestUnquotedTextStaysAsWritten(t *testing.T) {
	for _, s := range []string{"012345", "01234567", "0123", "0000", "1234", "00001234"} {
		c, err := Parse([]byte("modem: {port: x, pin: " + s + "}\nservices: [{port: 80, target: builtin:http}]\n"))
		if err != nil || c.Modem.PIN != s {
			t.Errorf("PIN %s: %q, %v", s, c.Modem.PIN, err)
		}
	}
	for _, s := range []string{"0123", "007", "0x1234", "1.10", "1_000", "+5", "-0", ".inf", "0o17"} {
		c, err := Parse([]byte(minimal + "network: {user: " + s + ", password: " + s + "}\ntargets: {vnc_password: " + s + ", ssh: {passwords: {" + s + ": " + s + "}}}\n"))
		if err != nil || c.Network.User != s || c.Network.Password != s || c.Targets.VNCPassword != s || c.Targets.SSH.Passwords[s] != s {
			t.Errorf("%s: %+v, %+v, %v", s, c.Network, c.Targets, err)
		}
	}
}

func TestBadConfigurations(t *testing.T) {
	tests := []struct {
		name, file string
		want       []string
	}{
		{"empty", "", []string{"modem.port: required", "services: at least one"}},
		{"unknown key", "modem: {port: x}\nmodm: {}\n", []string{"[2:1]", "modm"}},
		{"no decimal number", "modem: {port: x}\nservices: [{port: 0x50, target: builtin:http}]\n", []string{"[2:19]", "services[0].port", "int"}},
		{"wrong type", "modem: {port: x, baud: fast}\n", []string{"[1:", "baud"}},
		{"port", "modem: {port: x}\nservices:\n  - {port: 80, target: builtin:http}\n  - {port: 70000, target: builtin:vnc}\n",
			[]string{"[4:12]", "services[1].port", `"70000"`, "1 to 65535"}},
		{"same port", "modem: {port: x}\nservices: [{port: 80, target: builtin:http}, {port: 80, target: builtin:vnc}]\n", []string{"services[1].port", "another service"}},
		{"target", "modem: {port: x}\nservices: [{port: 80, target: builtin:ftp}]\n", []string{"services[0].target", `"builtin:ftp"`, "builtin:modbus"}},
		{"tcp target", "modem: {port: x}\nservices: [{port: 80, target: 'tcp://127.0.0.1'}]\n", []string{"services[0].target"}},
		{"auth", minimal + "network: {auth: mschap}\n", []string{"[3:17]", "network.auth", "chap, pap and none"}},
		{"apn", minimal + "network: {apn: 'a\";H'}\n", []string{"network.apn"}},
		{"pin", "modem: {port: x, pin: '12'}\n" + "services: [{port: 80, target: builtin:http}]\n", []string{"modem.pin", "4 to 8 digits"}},
		{"several", "modem: {baud: -1}\nlog: {level: loud}\nservices: [{port: 80, target: builtin:http}]\n", []string{"modem.port", "modem.baud", "log.level"}},
		{"usb without auto", "modem: {port: x, usb: '2c7c:0125'}\nservices: [{port: 80, target: builtin:http}]\n", []string{"[1:23]", "modem.usb", "auto"}},
		{"cmux", "modem: {port: x, cmux: maybe}\nservices: [{port: 80, target: builtin:http}]\n", []string{"modem.cmux", "auto, on and off"}},
		{"probe", minimal + "probe: {target: ping}\n", []string{"[3:17]", "probe.target", "tcp://IP:PORT"}},
		{"probe too often", minimal + "probe: {interval: 1ms}\n", []string{"probe.interval", "1s and more"}},
		{"reset too often", minimal + "cures: {reset_interval: 10s}\n", []string{"[3:25]", "cures.reset_interval", "1m and more"}},
		{"reset too often later", minimal + "cures: {max_reset_interval: 1s}\n", []string{"[3:29]", "cures.max_reset_interval", "cures.reset_interval"}},
		{"power cycle", minimal + "cures: {power_cycle: reboot}\n", []string{"[3:22]", "cures.power_cycle"}},
		{"forward", minimal + "forwards: [{listen: '1883', to: 'a b:1'}]\n", []string{"forwards[0].listen", "forwards[0].to"}},
		{"open socks", minimal + "socks: {listen: '0.0.0.0:1080'}\n", []string{"[3:17]", "socks.listen", "loopback"}},
		{"proxy to a builtin", "modem: {port: x}\nservices: [{port: 80, target: builtin:http, proxy_protocol: true}]\n", []string{"services[0].proxy_protocol"}},
		{"status port of a service", minimal + "status_port: 80\n", []string{"[3:14]", "status_port", "a service has this port"}},
		{"metrics", minimal + "metrics: here\n", []string{"metrics", "127.0.0.1:9110"}},
		{"link", minimal + "link: ppp\n", []string{"[3:7]", `link is "ppp"`, "netstack, tun and host"}},
		{"routes", minimal + "tun: {routes: [100.127.0.1/16]}\n", []string{"[3:16]", "tun.routes[0]", "100.127.0.0/16"}},
		{"no route", minimal + "tun: {routes: [everything]}\n", []string{"[3:16]", "tun.routes[0]", "everything"}},
		{"name servers", minimal + "tun: {dns: bind, name: a/b}\n", []string{"tun.dns", "resolvconf", "tun.name"}},
		{"host without an interface", minimal + "link: host\n", []string{"host.interface", "required"}},
		{"authorized key", minimal + "targets: {ssh: {authorized_keys: ['# fine', garbage]}}\n", []string{"[3:45]", "targets.ssh.authorized_keys[1]", "no key found"}},
		{"no yaml", "modem: {", []string{"["}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.file))
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is not in: %v", w, err)
				}
			}
		})
	}
}

func TestSecretsAreNotInErrors(t *testing.T) {
	_, err := Parse([]byte("modem: {port: x, pin: 'hunter'}\nnetwork: {password: \"hunter\\n\", nonsense: 1}\n"))
	if err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("%v", err)
	}
	_, err = Parse([]byte("modem: {port: x, pin: 'hunter'}\nnetwork: {password: \"hunter\\n\"}\n"))
	if err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	b, err := os.ReadFile("reference.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b))
	f.Add(minimal)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "_file") {
			return // no reading of files by chance
		}
		c, err := Parse([]byte(s))
		if err == nil && c.Validate() != nil {
			t.Errorf("%q: parsed, and not valid", s)
		}
	})
}
