package guest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// apt asks Debian's archive, as an ordinary user.
type apt struct {
	program, cache string
	options        []string
	lists          string // our own; "": the system's
	machine        *machine
}

func newAPT(aptGet, aptCache string, m *machine) *apt {
	return &apt{program: aptGet, cache: aptCache, machine: m, options: []string{
		// Without root there is no other user to download as; as root, that user could not write into our directory.
		"-q", "-o", "APT::Sandbox::User=root", "-o", "APT::Architecture=" + m.arch, "-o", "APT::Architectures=" + m.arch,
	}}
}

// programs are the packages whose programs the guest runs.
var programs = []string{"busybox-static", "ppp"}

// useOwnLists has a work with its own package lists below dir: the system's may be missing (a fresh container, or another architecture), or so old
// that what they name is gone. It tells whether an earlier update has left some there.
func (a *apt) useOwnLists(dir string) bool {
	a.lists = filepath.Join(dir, "lists")
	a.options = append(a.options, "-o", "Dir::State::Lists="+a.lists, "-o", "Dir::Cache="+filepath.Join(dir, "cache"))
	found, _ := filepath.Glob(filepath.Join(a.lists, "*_Packages*"))
	return len(found) > 0
}

// update fetches the lists.
func (a *apt) update(ctx context.Context) error {
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(filepath.Dir(a.lists), sub), 0o755); err != nil {
			return err
		}
	}
	_, err := a.run(ctx, "", a.program, "update")
	return err
}

func (a *apt) run(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, append(slices.Clone(a.options), args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("running %s %s: %w: %s", filepath.Base(program), args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// resolve names the packages of the guest in the versions that the lists have. The kernel's package is the one that the
// metapackage points to; of the programs' dependencies the libraries are enough, since none is configured.
func (a *apt) resolve(ctx context.Context, withNGSM bool) ([]debian, error) {
	metaKernel := a.machine.kernel
	out, err := a.depends(ctx, metaKernel)
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(parseDepends(out)[metaKernel], func(s string) bool { return !strings.HasPrefix(s, "linux-image-") })
	if len(names) != 1 {
		return nil, fmt.Errorf("package %s depends on %q: want one kernel", metaKernel, names)
	}
	if withNGSM {
		more, err := a.kbuildPackages(ctx, names[0])
		if err != nil {
			return nil, err
		}
		names = append(names, more...)
	}
	if out, err = a.depends(ctx, append([]string{"--recurse"}, programs...)...); err != nil {
		return nil, err
	}
	graph := parseDepends(out)
	todo := slices.Clone(programs)
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
		for _, d := range graph[name] {
			if strings.HasPrefix(d, "lib") && !strings.HasPrefix(d, "libpam-") { // those are PAM's modules, for logins
				todo = append(todo, d)
			}
		}
	}
	out, err = a.run(ctx, "", a.program, append([]string{"download", "--print-uris"}, names...)...)
	if err != nil {
		return nil, err
	}
	packages, err := parseURIs(out)
	if err == nil && len(packages) != len(names) {
		err = fmt.Errorf("apt-get knows %d of the packages %q", len(packages), names)
	}
	return packages, err
}

func (a *apt) depends(ctx context.Context, args ...string) (string, error) {
	return a.run(ctx, "", a.cache, append([]string{"depends", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
		"--no-replaces", "--no-enhances"}, args...)...)
}

// download puts the packages into dir. apt-get checks their digests.
func (a *apt) download(ctx context.Context, dir string, packages []debian, log *slog.Logger) error {
	args := []string{"download"}
	for _, p := range packages {
		args = append(args, p.name+"="+p.version)
	}
	log.Info("downloading the guest's packages", "packages", len(packages))
	_, err := a.run(ctx, dir, a.program, args...)
	return err
}

// debian is one package in one version.
type debian struct{ name, version, file, digest string }

// uriLine is a line of apt-get download --print-uris: the address, the file's name, its size, its digest.
var uriLine = regexp.MustCompile(`^'[^']+' (([a-z0-9][a-z0-9+.-]*)_([^_ /]+)_[a-z0-9]+\.deb) [0-9]+ ([A-Za-z0-9]+:[0-9a-f]+)$`)

func parseURIs(out string) ([]debian, error) {
	var packages []debian
	for line := range strings.Lines(out) {
		m := uriLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			return nil, fmt.Errorf("apt-get download --print-uris: %q: want an address, a package's file, its size and its digest", line)
		}
		packages = append(packages, debian{file: m[1], name: m[2], version: strings.ReplaceAll(m[3], "%3a", ":"), digest: m[4]})
	}
	return packages, nil
}

// parseDepends reads what apt-cache depends prints: a package, and its dependencies indented. Of alternatives, which a bar joins, the
// first counts; <virtual> packages and who provides them (indented deeper) do not.
func parseDepends(out string) map[string][]string {
	graph := make(map[string][]string)
	name, alternative := "", false
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, " ") {
			name, alternative = line, false
			continue
		}
		kind, dependency, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "|"), ": ")
		if !ok || kind != "Depends" && kind != "PreDepends" {
			continue
		}
		if !alternative && !strings.HasPrefix(dependency, "<") && !slices.Contains(graph[name], dependency) {
			graph[name] = append(graph[name], dependency)
		}
		alternative = strings.HasPrefix(line, " |")
	}
	return graph
}
