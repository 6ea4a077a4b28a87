package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	packaged = "packaging/root"
	examples = "/usr/share/doc/minato-agent/examples/"
)

// unitSetting is what systemd makes of a setting that is a list: each file adds to it, and an empty value begins anew.
func unitSetting(t *testing.T, name string, files ...string) []string {
	t.Helper()
	list := []string{}
	for _, file := range files {
		b, err := os.ReadFile(filepath.Join(packaged, file))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			value, ok := strings.CutPrefix(strings.TrimSpace(line), name+"=")
			if !ok {
				continue
			}
			if list = append(list, strings.Fields(value)...); value == "" {
				list = list[:0]
			}
		}
	}
	slices.Sort(list)
	return list
}

// TestUnitAllowsWhatEachLinkNeeds: the unit as it is installed gives what link: netstack needs and no more, and the drop-in that
// the reference names for another link adds what that needs: interfaces are asked for by netlink, and made and routed with CAP_NET_ADMIN.
func TestUnitAllowsWhatEachLinkNeeds(t *testing.T) {
	reference, err := os.ReadFile("reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sockets := []string{"AF_INET", "AF_INET6", "AF_UNIX"}
	for _, tt := range []struct {
		link, dropIn string
		families     []string
		capabilities []string
	}{
		{LinkNetstack, "", sockets, []string{}},
		{LinkHost, examples + "host.conf", append([]string{"AF_NETLINK"}, sockets...), []string{}},
		{LinkTUN, examples + "tun.conf", append([]string{"AF_NETLINK"}, sockets...), []string{"CAP_NET_ADMIN"}},
	} {
		t.Run(tt.link, func(t *testing.T) {
			files := []string{"/usr/lib/systemd/system/minato-agent.service"}
			if tt.dropIn != "" {
				files = append(files, tt.dropIn)
				if !strings.Contains(string(reference), tt.dropIn) {
					t.Errorf("reference.yaml does not name %s", tt.dropIn)
				}
			}
			slices.Sort(tt.families)
			for name, want := range map[string][]string{
				"RestrictAddressFamilies": tt.families, "CapabilityBoundingSet": tt.capabilities, "AmbientCapabilities": tt.capabilities,
			} {
				if d := cmp.Diff(want, unitSetting(t, name, files...)); d != "" {
					t.Errorf("%s (-want +got):\n%s", name, d)
				}
			}
		})
	}
}

// TestUnitLeavesTheModemsPortsAlone: with any of these settings there is a list of the devices that the agent may open. With ProtectClock= it has the
// clock's alone on the systemd of Debian 11, which the package is for, too.
func TestUnitLeavesTheModemsPortsAlone(t *testing.T) {
	for _, file := range []string{"/usr/lib/systemd/system/minato-agent.service", examples + "tun.conf", examples + "host.conf"} {
		for _, name := range []string{"PrivateDevices", "DevicePolicy", "DeviceAllow", "ProtectClock"} {
			if got := unitSetting(t, name, file); len(got) > 0 {
				t.Errorf("%s: %s=%s", file, name, got)
			}
		}
	}
	filter := unitSetting(t, "SystemCallFilter", "/usr/lib/systemd/system/minato-agent.service")
	if !slices.Contains(filter, "~@privileged") {
		t.Errorf("SystemCallFilter=%s allows to set the clock", filter)
	}
}

// TestUnitLeavesThePowerCycleAlone: with systemd's own KillMode= a stop would end the command of cures.power_cycle between off and on.
func TestUnitLeavesThePowerCycleAlone(t *testing.T) {
	if got := unitSetting(t, "KillMode", "/usr/lib/systemd/system/minato-agent.service"); !slices.Equal(got, []string{"mixed"}) {
		t.Errorf("KillMode=%s", got)
	}
}
