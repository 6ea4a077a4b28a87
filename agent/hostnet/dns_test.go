package hostnet

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var servers = []netip.Addr{netip.MustParseAddr("100.127.0.53"), netip.MustParseAddr("100.127.1.53")}

// lan is a file as a LAN's DHCP client writes it.
const lan = "# by NetworkManager\nsearch home.example\nnameserver 192.168.1.1\n"

func open(t *testing.T, dir string) *Undo {
	t.Helper()
	u, err := OpenUndo(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

// What was there comes back: after an orderly end, and after a kill, by the next one that opens the undo file.
func TestFile(t *testing.T) {
	tests := []struct {
		name  string
		make  func(path string) error // what was there before
		other func(path string) error // what another program does meanwhile
		after string                  // "": as before
	}{
		{name: "a file", make: func(p string) error { return os.WriteFile(p, []byte(lan), 0o640) }},
		{name: "an empty file", make: func(p string) error { return os.WriteFile(p, nil, 0o644) }},
		{name: "a symlink", make: func(p string) error {
			if err := os.WriteFile(p+".real", []byte(lan), 0o644); err != nil {
				return err
			}
			return os.Symlink(p+".real", p)
		}},
		{name: "a symlink to nothing", make: func(p string) error { return os.Symlink("run/absent", p) }},
		{name: "nothing", make: func(string) error { return nil }},
		{name: "a DHCP client writes anew", make: func(p string) error { return os.WriteFile(p, []byte(lan), 0o644) },
			other: func(p string) error { return os.WriteFile(p, []byte("nameserver 192.168.7.1\n"), 0o644) }, after: "-rw-r--r-- nameserver 192.168.7.1\n"},
		{name: "somebody makes a symlink", make: func(p string) error { return os.WriteFile(p, []byte(lan), 0o644) },
			other: func(p string) error { os.Remove(p); return os.Symlink("mine", p) }, after: "-> mine"},
		{name: "somebody removes it", make: func(p string) error { return os.WriteFile(p, []byte(lan), 0o644) }, other: os.Remove, after: "absent"},
	}
	for _, tt := range tests {
		for _, killed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, killed %v", tt.name, killed), func(t *testing.T) {
				state, path := t.TempDir(), filepath.Join(t.TempDir(), "resolv.conf")
				if err := tt.make(path); err != nil {
					t.Fatal(err)
				}
				before := describe(t, path)
				u := open(t, state)
				if err := (DNS{Method: "file", Servers: servers, File: path}).apply("minato0", u); err != nil {
					t.Fatal(err)
				}
				b, err := os.ReadFile(path)
				if err != nil || !strings.HasPrefix(string(b), fileHead+"nameserver 100.127.0.53\nnameserver 100.127.1.53\n") {
					t.Errorf("while the link is up: %q, %v", b, err)
				}
				if strings.Contains(before, "192.168.1.1") != strings.Contains(string(b), lan) {
					t.Errorf("the LAN's servers do not stand behind: %q", b)
				}
				if tt.other != nil {
					if err := tt.other(path); err != nil {
						t.Fatal(err)
					}
				}
				if killed {
					u.Close() // as the kernel does
					open(t, state)
				} else if err := u.Restore(); err != nil {
					t.Fatal(err)
				}
				want := before
				if tt.after != "" {
					want = tt.after
				}
				if got := describe(t, path); got != want {
					t.Errorf("afterwards %q, want %q", got, want)
				}
				if _, err := os.Stat(filepath.Join(state, undoName)); !os.IsNotExist(err) {
					t.Errorf("the undo file stays: %v", err)
				}
			})
		}
	}
}

// describe tells a file's kind and content.
func describe(t *testing.T, path string) string {
	t.Helper()
	fi, err := os.Lstat(path)
	if os.IsNotExist(err) {
		return "absent"
	}
	if err != nil {
		t.Fatal(err)
	}
	if fi.Mode().Type() == os.ModeSymlink {
		to, err := os.Readlink(path)
		if err != nil {
			t.Fatal(err)
		}
		content, _ := os.ReadFile(path)
		return strings.TrimSpace("-> " + to + " " + string(content))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Mode().String() + " " + string(b)
}

// The system's programs are called as their manuals say (resolvectl(1), resolvconf(8)); these here only note how.
func TestPrograms(t *testing.T) {
	bin := t.TempDir()
	log := filepath.Join(bin, "log")
	for _, name := range []string{"resolvectl", "resolvconf"} {
		script := "#!/bin/sh\n{ echo \"" + name + " $*\"; [ \"$1\" != -a ] || cat; } >>" + log + "\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	tests := []struct {
		dns  DNS
		want string
	}{
		{DNS{Method: "resolved", Servers: servers, Domains: []string{"soracom.io"}},
			"resolvectl dns minato0 100.127.0.53 100.127.1.53\nresolvectl domain minato0 ~soracom.io\nresolvectl revert minato0\n"},
		{DNS{Method: "resolved", Servers: servers[:1]}, "resolvectl dns minato0 100.127.0.53\nresolvectl domain minato0 ~.\nresolvectl revert minato0\n"},
		{DNS{Method: "resolvconf", Servers: servers},
			"resolvconf -a minato0.minato\nnameserver 100.127.0.53\nnameserver 100.127.1.53\nresolvconf -d minato0.minato\n"},
		{DNS{Method: "none", Servers: servers}, ""},
		{DNS{Method: "auto"}, ""}, // the network told of no server
	}
	for _, tt := range tests {
		os.Remove(log)
		u := open(t, t.TempDir())
		if err := tt.dns.apply("minato0", u); err != nil {
			t.Error(err)
		}
		if err := u.Restore(); err != nil {
			t.Error(err)
		}
		if got, _ := os.ReadFile(log); string(got) != tt.want {
			t.Errorf("%+v:\n got %q\nwant %q", tt.dns, got, tt.want)
		}
	}
}
