package tty

import (
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strconv"
	"strings"
)

// Device is a port of a USB modem.
type Device struct {
	Path      string `json:"path"`      // /dev/ttyUSB2
	USB       string `json:"usb"`       // vendor and product id, "2c7c:0125"
	Product   string `json:"product"`   // as the device names itself
	Interface int    `json:"interface"` // number on the USB device
	Role      string `json:"role"`      // "at", "ppp", "gps", "diag"; "": not known
	Bus       string `json:"bus"`       // where it is plugged in, "1-1.3"
	Serial    string `json:"serial,omitempty"`
}

// roles are what the interfaces of known modems are for, after ModemManager's udev rules and what was seen in the field.
var roles = map[string]map[int]string{
	"2c7c:0125": {0: "diag", 1: "gps", 2: "at", 3: "ppp"}, // Quectel EC25, EG25-G, SORACOM Onyx
	"2c7c:0121": {0: "diag", 1: "gps", 2: "at", 3: "ppp"}, // Quectel EC21
	"2c7c:0296": {0: "diag", 1: "gps", 2: "at", 3: "ppp"}, // Quectel BG96
	"1e0e:9001": {2: "at", 3: "ppp"},                      // SIMCom SIM7600
	"1e0e:9205": {2: "at", 3: "ppp"},                      // SIMCom SIM7080
	"1e0e:9206": {2: "at", 5: "ppp"},                      // SIMCom SIM7080, other composition
	"12d1:1506": {0: "ppp", 2: "at"},                      // Huawei MS2372 and its kin
}

// huaweiRoles go by the interface's protocol, since the numbers depend on the firmware's settings.
var huaweiRoles = map[string]string{"01": "ppp", "02": "at", "03": "diag"}

func role(sys fs.FS, dir, usb string, number int) string {
	if strings.HasPrefix(usb, "12d1:") {
		if r := huaweiRoles[attribute(sys, dir+"/bInterfaceProtocol")]; r != "" {
			return r
		}
	}
	return roles[usb][number]
}

const usbRoot = "bus/usb/devices"

// Find lists the serial ports of USB devices. sys is os.DirFS("/sys"). A machine without USB, as many virtual ones are, has none.
func Find(sys fs.FS) ([]Device, error) {
	entries, err := fs.ReadDir(sys, usbRoot)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing USB devices: %w", err)
	}
	found := []Device{} // for programs: not null
	for _, e := range entries {
		device, _, ok := strings.Cut(e.Name(), ":") // an interface is "1-1.3:1.2" of device "1-1.3"
		if !ok {
			continue
		}
		dir := usbRoot + "/" + e.Name()
		for _, name := range ttyNames(sys, dir) {
			d := Device{
				Path:    "/dev/" + name,
				Bus:     device,
				Serial:  attribute(sys, usbRoot+"/"+device+"/serial"),
				USB:     attribute(sys, usbRoot+"/"+device+"/idVendor") + ":" + attribute(sys, usbRoot+"/"+device+"/idProduct"),
				Product: strings.TrimSpace(attribute(sys, usbRoot+"/"+device+"/manufacturer") + " " + attribute(sys, usbRoot+"/"+device+"/product")),
			}
			if d.Interface, err = interfaceNumber(sys, dir); err != nil {
				continue
			}
			d.Role = role(sys, dir, d.USB, d.Interface)
			found = append(found, d)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Path < found[j].Path })
	return found, nil
}

// isIncomplete tells whether an interface for commands or calls has no port.
func isIncomplete(sys fs.FS, m USBModem) bool {
	dirs, _ := fs.Glob(sys, usbRoot+"/"+m.Bus+":*")
	for _, dir := range dirs {
		n, err := interfaceNumber(sys, dir)
		if r := role(sys, dir, m.USB, n); err == nil && (r == "at" || r == "ppp") && len(ttyNames(sys, dir)) == 0 {
			return true
		}
	}
	return false
}

func interfaceNumber(sys fs.FS, dir string) (int, error) {
	n, err := strconv.ParseUint(attribute(sys, dir+"/bInterfaceNumber"), 16, 8)
	return int(n), err
}

// ttyNames finds the ttys below an interface: ttyUSB0 of a usb-serial driver, tty/ttyACM0 of cdc-acm.
func ttyNames(sys fs.FS, dir string) []string {
	var names []string
	for _, sub := range []string{dir, dir + "/tty"} {
		entries, _ := fs.ReadDir(sys, sub)
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "ttyUSB") || strings.HasPrefix(e.Name(), "ttyACM") {
				names = append(names, e.Name())
			}
		}
	}
	return names
}

func attribute(sys fs.FS, name string) string {
	b, err := fs.ReadFile(sys, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
