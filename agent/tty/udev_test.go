package tty

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestUdevRules holds the package's rules against the table of modems.
func TestUdevRules(t *testing.T) {
	b, err := os.ReadFile("../packaging/root/usr/lib/udev/rules.d/70-minato-agent.rules")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for usb, interfaces := range roles {
		vendor, product, _ := strings.Cut(usb, ":")
		want[fmt.Sprintf(`SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}==%q, ATTR{idProduct}==%q, ENV{ID_MM_DEVICE_IGNORE}="1"`, vendor, product)] = true
		for number, role := range interfaces {
			if (role == "at" || role == "ppp") && vendor != "12d1" {
				want[fmt.Sprintf(`ENV{.MINATO_USB}==%q, ENV{ID_USB_INTERFACE_NUM}=="%02x", ENV{.MINATO_ROLE}=%q`, usb, number, role)] = true
			}
		}
	}
	for protocol, role := range huaweiRoles {
		if role == "at" || role == "ppp" {
			want[fmt.Sprintf(`ENV{ID_VENDOR_ID}=="12d1", SUBSYSTEMS=="usb", ATTRS{bInterfaceProtocol}==%q, ENV{.MINATO_ROLE}=%q`, protocol, role)] = true
		}
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if named := strings.Contains(line, `ENV{.MINATO_ROLE}="`) || strings.Contains(line, "ID_MM_DEVICE_IGNORE"); named && !want[line] {
			t.Errorf("the rules have what the table has not: %s", line)
		}
		delete(want, line)
	}
	for line := range want {
		t.Errorf("the rules lack: %s", line)
	}
}
