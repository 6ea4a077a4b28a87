package guest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What apt 2.6.1 of Debian 12 prints, shortened.
const (
	dependsOutput = `ppp
  Depends: libpam-modules
  Depends: procps
  Depends: libc6
  Depends: libpcap0.8
  Depends: libsystemd0
    libelogind0
libpam-modules
  PreDepends: libc6
 |PreDepends: debconf
  PreDepends: <debconf-2.0>
    cdebconf
    debconf
  PreDepends: libpam-modules-bin
 |Depends: libone
 |Depends: libtwo
  Depends: libthree
<debconf-2.0>
libc6
  Depends: libgcc-s1
`
	urisOutput = `'http://archive.example/pool/main/b/busybox/busybox-static_1.35.0-4%2bdeb12u1%2bb1_amd64.deb' busybox-static_1%3a1.35.0-4+deb12u1+b1_amd64.deb 928188 SHA256:3d3fdbe91d
'http://archive.example/pool/main/p/ppp/ppp_2.4.9-1%2b1.1%2bb1_amd64.deb' ppp_2.4.9-1+1.1+b1_amd64.deb 363880 SHA256:2497f9a2
`
)

func TestParseDepends(t *testing.T) {
	want := map[string][]string{
		"ppp":            {"libpam-modules", "procps", "libc6", "libpcap0.8", "libsystemd0"},
		"libpam-modules": {"libc6", "debconf", "libpam-modules-bin", "libone"},
		"libc6":          {"libgcc-s1"},
	}
	if diff := cmp.Diff(want, parseDepends(dependsOutput)); diff != "" {
		t.Errorf("dependencies (-want +got)\n%s", diff)
	}
}

func TestParseURIs(t *testing.T) {
	got, err := parseURIs(urisOutput)
	if err != nil {
		t.Fatal(err)
	}
	want := []debian{
		{"busybox-static", "1:1.35.0-4+deb12u1+b1", "busybox-static_1%3a1.35.0-4+deb12u1+b1_amd64.deb", "SHA256:3d3fdbe91d"},
		{"ppp", "2.4.9-1+1.1+b1", "ppp_2.4.9-1+1.1+b1_amd64.deb", "SHA256:2497f9a2"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(debian{})); diff != "" {
		t.Errorf("packages (-want +got)\n%s", diff)
	}
	for _, bad := range []string{
		"W: a warning\n",
		"'http://x/ppp_1_amd64.deb' ../ppp_1_amd64.deb 1 SHA256:00\n",
		"'http://x/ppp_1_amd64.deb' ppp_1_amd64.deb 1 none\n",
	} {
		if _, err := parseURIs(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseURIs(f *testing.F) {
	f.Add(urisOutput)
	f.Fuzz(func(t *testing.T, out string) {
		packages, err := parseURIs(out)
		for _, p := range packages {
			if err == nil && (p.name == "" || p.version == "" || p.digest == "" || strings.ContainsAny(p.file, "/\n ")) {
				t.Errorf("%q gave %+v", out, p)
			}
		}
	})
}

func FuzzParseDepends(f *testing.F) {
	f.Add(dependsOutput)
	f.Fuzz(func(t *testing.T, out string) {
		for name, list := range parseDepends(out) {
			for _, d := range list {
				if strings.Contains(name+d, "\n") {
					t.Errorf("%q depends on %q", name, d)
				}
			}
		}
	})
}
