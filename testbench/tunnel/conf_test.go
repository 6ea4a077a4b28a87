package tunnel

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseConf(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "client.conf"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := ParseConf(f)
	if err != nil {
		t.Fatal(err)
	}
	want := []Config{
		{
			Name: "vnc", Accept: "127.0.0.1:5900", Connect: "203-0-113-9.relay.example:10123", Verify: VerifyChain, CAFile: "/etc/stunnel/relay-ca.pem",
			CheckHost: []string{"203-0-113-9.relay.example", "relay.example"}, CloseTimeout: 5 * time.Second,
		},
		{
			Name: "modbus", Accept: ":1502", Connect: "203.0.113.9:10124", Verify: VerifyPeer, CAFile: "/etc/stunnel/pinned.pem",
			CheckIP: []netip.Addr{netip.MustParseAddr("203.0.113.9")}, ServerName: "relay.example",
			IdleTimeout: 10 * time.Minute, CloseTimeout: time.Millisecond, ConnectTimeout: 20 * time.Second,
		},
		{Name: "look", Accept: "[::1]:8080", Connect: "localhost:10125", Verify: VerifyNone, CAFile: "/etc/stunnel/relay-ca.pem", CloseTimeout: 5 * time.Second},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreFields(Config{}, "RootCAs", "Listen", "Dial", "Logger")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, cfg := range got {
		cfg.CAFile = ""
		if cfg.Verify == VerifyPeer {
			continue
		}
		if _, err := New(cfg); err != nil {
			t.Errorf("%s: %v", cfg.Name, err)
		}
	}
}

// Every fault names its line and its option, and says what to do.
func TestParseConfErrors(t *testing.T) {
	const head = "[vnc]\nclient = yes\naccept = 5900\nconnect = relay:1\n"
	tests := []struct{ conf, want, hint string }{
		{"", "no [service] section: inetd mode is not supported", "[vnc]"},
		{"client = yes\n", "no [service] section: inetd mode is not supported", "[vnc]"},
		{"[vnc", `line 1: "[vnc" is no section`, "[NAME]"},
		{"[ ]", `line 1: "[ ]" is no section`, "[NAME]"},
		{"[vnc]\nclient yes", `line 2: "client yes" is no option`, "OPTION = VALUE"},
		{"[vnc]\naccept = 1\nconnect = a:2", `line 1: option "client": service [vnc]: server mode is not supported`, "client = yes"},
		{"[vnc]\nclient = no\naccept = 1\nconnect = a:2", `line 2: option "client": service [vnc]: server mode is not supported`, "client = yes"},
		{"[vnc]\nclient = true", `line 2: option "client": value "true": want yes or no`, ""},
		{"[vnc]\nclient = yes\nconnect = a:2", `line 1: option "accept": service [vnc]: missing`, "accept ="},
		{"[vnc]\nclient = yes\naccept = 2", `line 1: option "connect": service [vnc]: missing`, "connect ="},
		{head + "accept = 5901", `line 5: option "accept": given before, on line 3`, "keep one"},
		{head + "cert = me.pem", `line 5: option "cert": not supported`, "client certificates"},
		{head + "verify = 2", `line 5: option "verify": not supported`, "verifyChain"},
		{head + "colour = red", `line 5: option "colour": not known`, "supported are: client, accept"},
		{head + "options = NO_TICKET", `line 5: option "options": value "NO_TICKET": want one of NO_SSLV2, NO_SSLV3, NO_TLSV1, NO_TLSV1.1`, ""},
		{head + "checkHost = relay", `line 5: option "checkHost": service [vnc]: checks nothing without verifyChain or verifyPeer`, "verifyChain = yes"},
		{head + "checkIP = relay", `line 5: option "checkIP": value "relay": want an IP address`, ""},
		{head + "verifyPeer = yes", `line 5: option "verifyPeer": service [vnc]: needs CAfile`, "CAfile"},
		{head + "TIMEOUTidle = -1", `line 5: option "TIMEOUTidle": value "-1": want a number of seconds`, ""},
		{"[vnc]\naccept = host:http", `line 2: option "accept": value "host:http": want [HOST:]PORT, with a port from 0 to 65535`, ""},
		{"[vnc]\nconnect = :1", `line 2: option "connect": value ":1": want [HOST:]PORT, with a port from 0 to 65535`, ""},
		{"[vnc]\naccept = " + strings.Repeat("1", 5000), "line 2: bufio.Scanner: token too long", "4096"},
		{strings.Repeat("[a]\n", 1001), "line 1001: more than 1000 services", "split"},
	}
	for _, tt := range tests {
		_, err := ParseConf(strings.NewReader(tt.conf))
		var e *ConfError
		if !errors.As(err, &e) || err.Error() != tt.want {
			t.Errorf("%.60q:\ngot  %v\nwant %s", tt.conf, err, tt.want)
			continue
		}
		if !strings.Contains(Hint(err), tt.hint) {
			t.Errorf("%.60q: hint %q, want one with %q", tt.conf, Hint(err), tt.hint)
		}
	}
}

func FuzzParseConf(f *testing.F) {
	sample, err := os.ReadFile(filepath.Join("testdata", "client.conf"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(sample))
	f.Add("\ufeffclient = yes\r\n[x]\r\naccept=::1:5\r\nconnect=[::1]:6\r\n")
	f.Fuzz(func(t *testing.T, conf string) {
		cfgs, err := ParseConf(strings.NewReader(conf))
		if err != nil {
			var e *ConfError
			if !errors.As(err, &e) {
				t.Errorf("%v is no *ConfError", err)
			}
			return
		}
		for _, cfg := range cfgs {
			cfg.CAFile, cfg.Verify, cfg.CheckHost, cfg.CheckIP = "", VerifyName, nil, nil // no files
			if _, err := New(cfg); err != nil {
				t.Errorf("what was read makes no tunnel: %v", err)
			}
		}
	})
}
