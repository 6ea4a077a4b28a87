package tty

import (
	"errors"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// plugIn puts a device into a /sys, with the ttys from first on at the interfaces that have one. protocols are Huawei's.
func plugIn(sys fstest.MapFS, bus, vendor, product, serial string, first int, interfaces []int, protocols ...string) {
	dir := "bus/usb/devices/" + bus
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s + "\n")} }
	sys[dir+"/idVendor"], sys[dir+"/idProduct"], sys[dir+"/serial"] = file(vendor), file(product), file(serial)
	for i, n := range interfaces {
		at := fmt.Sprintf("%s:1.%d", dir, n)
		sys[at+"/bInterfaceNumber"] = file(fmt.Sprintf("%02x", n))
		sys[fmt.Sprintf("%s/ttyUSB%d/port_number", at, first+i)] = file("0")
		if i < len(protocols) {
			sys[at+"/bInterfaceProtocol"] = file(protocols[i])
		}
	}
}

func TestChoose(t *testing.T) {
	tests := []struct {
		name    string
		plug    func(fstest.MapFS)
		which   string
		at, ppp string
		err     error
	}{
		{"EC25", func(s fstest.MapFS) { plugIn(s, "1-1.3", "2c7c", "0125", "", 0, []int{0, 1, 2, 3}) }, "", "/dev/ttyUSB2", "/dev/ttyUSB3", nil},
		{"EG25-G behind another tty", func(s fstest.MapFS) {
			plugIn(s, "1-1.1", "0403", "6001", "FT1", 0, []int{0})
			plugIn(s, "1-1.3", "2c7c", "0125", "", 1, []int{0, 1, 2, 3})
		}, "", "/dev/ttyUSB3", "/dev/ttyUSB4", nil},
		{"BG96", func(s fstest.MapFS) { plugIn(s, "1-1", "2c7c", "0296", "", 0, []int{0, 1, 2, 3}) }, "2C7C:0296", "/dev/ttyUSB2", "/dev/ttyUSB3", nil},
		{"SIM7600", func(s fstest.MapFS) { plugIn(s, "1-1", "1e0e", "9001", "", 0, []int{0, 1, 2, 3, 4}) }, "1e0e:9001", "/dev/ttyUSB2", "/dev/ttyUSB3", nil},
		{"SIM7080", func(s fstest.MapFS) { plugIn(s, "1-1", "1e0e", "9205", "", 0, []int{0, 1, 2, 3}) }, "", "/dev/ttyUSB2", "/dev/ttyUSB3", nil},
		{"SIM7080, other composition", func(s fstest.MapFS) { plugIn(s, "1-1", "1e0e", "9206", "", 0, []int{0, 1, 2, 3, 4, 5}) }, "", "/dev/ttyUSB2", "/dev/ttyUSB5", nil},
		{"MS2372", func(s fstest.MapFS) { plugIn(s, "1-1", "12d1", "1506", "", 0, []int{0, 1, 2}) }, "", "/dev/ttyUSB2", "/dev/ttyUSB0", nil},
		{"Huawei by protocol", func(s fstest.MapFS) { plugIn(s, "1-1", "12d1", "155e", "", 0, []int{0, 1, 2}, "03", "02", "01") }, "", "/dev/ttyUSB1", "/dev/ttyUSB2", nil},
		{"two", func(s fstest.MapFS) {
			plugIn(s, "1-1.2", "2c7c", "0125", "", 0, []int{0, 1, 2, 3})
			plugIn(s, "1-1.3", "2c7c", "0125", "", 4, []int{0, 1, 2, 3})
		}, "", "", "", ErrAmbiguous},
		{"the second of two by place", func(s fstest.MapFS) {
			plugIn(s, "1-1.2", "2c7c", "0125", "", 0, []int{0, 1, 2, 3})
			plugIn(s, "1-1.3", "2c7c", "0125", "", 4, []int{0, 1, 2, 3})
		}, "1-1.3", "/dev/ttyUSB6", "/dev/ttyUSB7", nil},
		{"one of two by serial number", func(s fstest.MapFS) {
			plugIn(s, "1-1.2", "2c7c", "0125", "A", 0, []int{0, 1, 2, 3})
			plugIn(s, "1-1.3", "1e0e", "9001", "B", 4, []int{0, 1, 2, 3})
		}, "B", "/dev/ttyUSB6", "/dev/ttyUSB7", nil},
		{"EC25 with a port to come", func(s fstest.MapFS) {
			plugIn(s, "1-1.3", "2c7c", "0125", "", 0, []int{0, 1, 2, 3})
			delete(s, "bus/usb/devices/1-1.3:1.3/ttyUSB3/port_number")
		}, "", "/dev/ttyUSB2", "", ErrIncomplete},
		{"Huawei whose port for commands is to come", func(s fstest.MapFS) {
			plugIn(s, "1-1", "12d1", "155e", "", 0, []int{0, 1, 2}, "03", "02", "01")
			delete(s, "bus/usb/devices/1-1:1.1/ttyUSB1/port_number")
		}, "", "/dev/ttyUSB2", "", ErrIncomplete},
		{"none", func(s fstest.MapFS) { plugIn(s, "1-1.1", "0403", "6001", "FT1", 0, []int{0}) }, "", "", "", ErrNotFound},
		{"not this one", func(s fstest.MapFS) { plugIn(s, "1-1.3", "2c7c", "0125", "", 0, []int{0, 1, 2, 3}) }, "1e0e:9001", "", "", ErrNotFound},
		{"no USB at all", func(fstest.MapFS) {}, "", "", "", ErrNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sys := fstest.MapFS{}
			tt.plug(sys)
			m, err := Choose(sys, tt.which)
			if !errors.Is(err, tt.err) {
				t.Fatalf("%v, want %v", err, tt.err)
			}
			if d := cmp.Diff([]string{tt.at, tt.ppp}, []string{m.AT, m.PPP}); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
