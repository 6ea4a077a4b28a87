package connect

import (
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"minato/testbench/access"
)

// viewers are the usual programs by service and operating system; "" is every other system.
var viewers = map[string]map[string]string{
	"vnc":   {"darwin": "open vnc://{host}:{port}", "windows": "vncviewer.exe {host}::{port}", "": "vncviewer {host}::{port}"},
	"http":  {"darwin": "open http://{host}:{port}/", "windows": "explorer.exe http://{host}:{port}/", "": "xdg-open http://{host}:{port}/"},
	"https": {"darwin": "open https://{host}:{port}/", "windows": "explorer.exe https://{host}:{port}/", "": "xdg-open https://{host}:{port}/"},
	"ssh":   {"": "ssh -p {port} {host}"},
	"rdp":   {"darwin": "open rdp://full%20address=s:{host}:{port}", "windows": "mstsc.exe /v:{host}:{port}", "": "xfreerdp /v:{host}:{port}"},
}

// UsualViewer is the program that people of an operating system look at a service with.
func UsualViewer(service, system string) ([]string, error) {
	bySystem := viewers[service]
	command := bySystem[system]
	if command == "" {
		command = bySystem[""]
	}
	if command == "" {
		return nil, fmt.Errorf("service %q has no usual viewer: name a command with --viewer", service)
	}
	return strings.Fields(command), nil
}

// FindViewer is an error where the program is not on this computer. No program is no error.
func FindViewer(argv []string) error {
	if len(argv) == 0 {
		return nil
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return &access.Problem{Text: fmt.Sprintf("the viewer %q is not on this computer", argv[0]), Err: err,
			Cure: "install it, or name another one with --viewer, or leave that option out and start yours by hand"}
	}
	return nil
}

// fill puts the address into the arguments.
func fill(argv []string, a netip.AddrPort) []string {
	argv = slices.Clone(argv)
	for i := range argv {
		argv[i] = strings.NewReplacer("{host}", a.Addr().String(), "{port}", strconv.Itoa(int(a.Port()))).Replace(argv[i])
	}
	return argv
}
