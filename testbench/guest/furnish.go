package guest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// WriteControl puts the control port's programs into a directory, for a system of its own on Config.Drive: it has to have them in
// /usr/lib/minato-guest, busybox in /bin, and to start ControlFile.
func WriteControl(dir string) error {
	for _, name := range []string{"control", "run"} {
		body, err := initramfs.ReadFile("initramfs/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), body, 0o755)
		}
		if err != nil {
			return fmt.Errorf("program %q: %w", name, err)
		}
	}
	return nil
}

// ControlFile is the control port's program.
const ControlFile = "/usr/lib/minato-guest/control"

// furnish adds what no package has: the first process and the control port's programs, users, and what the kernel wants of a root.
func (t tree) furnish(modules []string) error {
	for _, link := range []string{"bin", "sbin", "lib", "lib64"} {
		t.add(entry{name: "usr/" + link, mode: typeDirectory | 0o755})
		t.add(entry{name: link, mode: typeLink | 0o777, body: []byte("usr/" + link)})
	}
	for name, to := range map[string]string{"init": "init", "control": "usr/lib/minato-guest/control", "run": "usr/lib/minato-guest/run"} {
		body, err := initramfs.ReadFile("initramfs/" + name)
		if err != nil {
			return fmt.Errorf("program %q: %w", name, err)
		}
		t.add(entry{name: to, mode: typeRegular | 0o755, body: body})
	}
	for name, text := range map[string]string{
		"etc/passwd":                   "root:x:0:0:root:/root:/bin/sh\n",
		"etc/group":                    "root:x:0:\ndip:x:30:root\n", // pppd's group on Debian
		"etc/hosts":                    "127.0.0.1 localhost\n",
		"usr/lib/minato-guest/modules": strings.Join(append(modules, ""), "\n"),
	} {
		t.add(entry{name: name, mode: typeRegular | 0o644, body: []byte(text)})
	}
	t.add(entry{name: "var/run", mode: typeLink | 0o777, body: []byte("../run")})
	t.add(entry{name: "run", mode: typeDirectory | 0o755})
	t.add(entry{name: "run/lock", mode: typeDirectory | 0o777})
	t.add(entry{name: "var/lock", mode: typeLink | 0o777, body: []byte("../run/lock")})
	// The kernel opens the console for the first process before that can mount anything.
	t.add(entry{name: "dev/console", mode: typeCharacter | 0o600, major: 5, minor: 1})
	return nil
}
