package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"minato/testbench/env"
)

var threePrograms = Scenario{
	Name:    "three-programs",
	Doc:     "Emulator, relay and agent as separate programs, with the README's own commands: curl with the relay's CA and ssh reach the device.",
	On:      []env.Net{env.Namespace}, // where the default ports are free, whatever else runs on this machine
	Setup:   func(c *env.Config) { c.NoParts = true },
	Timeout: 4 * time.Minute,
	Run: func(ctx context.Context, e *env.Env) error {
		for program, debianPackage := range map[string]string{"curl": "curl", "ssh": "openssh-client"} {
			if _, err := env.Tool(program, debianPackage); err != nil {
				return err
			}
		}
		script, err := readmeCommands("three-programs")
		if err != nil {
			return err
		}
		emulator, err := e.Program("minato-emulator")
		if err != nil {
			return err
		}
		// The README's reader stands at the top of the repository; this script stands beside a bin of its own, so that it leaves nothing there.
		if err := os.Symlink(filepath.Dir(emulator), filepath.Join(e.Dir, "bin")); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		// Twice, as by a reader who comes back another day. Should a command fail, the programs still end with the shell.
		cmd := e.Command(ctx, "sh", "-e", "-c", "trap 'kill $programs 2>/dev/null || :; wait' EXIT\ntrap 'exit 1' INT TERM\n"+script+script)
		out, err := cmd.Output()
		e.Step("the README's commands printed", "output", string(out))
		if err != nil {
			return fmt.Errorf("the README's commands: %w", err)
		}
		for program, said := range map[string]string{"curl": "<html", "ssh": "hello from the device"} {
			if n := strings.Count(string(out), said); n != 2 {
				return fmt.Errorf("%s: %q came %d times, wanted 2: each time that the commands are given", program, said, n)
			}
		}
		for _, secret := range []string{"relay.key", "key", "host_key"} {
			info, err := os.Stat(filepath.Join(e.Dir, "demo", secret))
			if err != nil {
				return err
			}
			if info.Mode().Perm()&0o077 != 0 {
				return fmt.Errorf("demo/%s is for others too: %s", secret, info.Mode())
			}
		}
		return nil
	},
}

// readmeCommands are the shell blocks of the README that stand below the comment <!-- run: NAME -->, one after the other.
func readmeCommands(name string) (string, error) {
	root, err := env.Root()
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return "", err
	}
	var script strings.Builder
	rest := string(b)
	for {
		_, after, found := strings.Cut(rest, "<!-- run: "+name+" -->\n```sh\n")
		if !found {
			break
		}
		block, after, closed := strings.Cut(after, "\n```")
		if !closed {
			return "", fmt.Errorf("README.md: a block of %s has no end", name)
		}
		script.WriteString(block + "\n")
		rest = after
	}
	if script.Len() == 0 {
		return "", fmt.Errorf("README.md has no commands of %s", name)
	}
	return script.String(), nil
}
