package guest

import (
	"fmt"
	"strings"
)

// furnish adds what no package has: the first process and the control port's programs, users, and what the kernel wants of a root.
func (t tree) furnish(modules []string) error {
	for _, link := range []string{"bin", "sbin", "lib", "lib64"} {
		t.add(entry{name: "usr/" + link, mode: typeDirectory | 0o755})
		t.add(entry{name: link, mode: typeLink | 0o777, body: []byte("usr/" + link)})
	}
	for name, to := range map[string]string{"init": "init", "control": "etc/minato/control", "run": "etc/minato/run"} {
		body, err := initramfs.ReadFile("initramfs/" + name)
		if err != nil {
			return fmt.Errorf("program %q: %w", name, err)
		}
		t.add(entry{name: to, mode: typeRegular | 0o755, body: body})
	}
	for name, text := range map[string]string{
		"etc/passwd":         "root:x:0:0:root:/root:/bin/sh\n",
		"etc/group":          "root:x:0:\ndip:x:30:root\n", // pppd's group on Debian
		"etc/hosts":          "127.0.0.1 localhost\n",
		"etc/minato/modules": strings.Join(append(modules, ""), "\n"),
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
