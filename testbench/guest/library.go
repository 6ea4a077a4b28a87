package guest

import (
	"bytes"
	"debug/elf"
	"fmt"
	"path"
	"slices"
	"strings"
)

// addLibraries adds to t those of the libraries that the programs need, and what these need in turn. It fails when one is missing.
func (t tree) addLibraries(libraries tree, programs ...string) error {
	bySoname := make(map[string]string) // file names, of which a soname is one
	for name := range libraries {
		base := path.Base(name)
		if old, ok := bySoname[base]; !ok || len(name) < len(old) || len(name) == len(old) && name < old { // longer: made for some processors only
			bySoname[base] = name
		}
	}
	todo := slices.Clone(programs)
	for seen := make(map[string]bool); len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		e, ok := t[name]
		if !ok {
			if e, ok = libraries[name]; !ok {
				return fmt.Errorf("file %q is in none of the packages", name)
			}
			t.add(e)
		}
		if e.mode&typeMask == typeLink {
			todo = append(todo, target(e))
			continue
		}
		sonames, loader, err := dynamic(e.body)
		if err != nil {
			return fmt.Errorf("reading %q: %w", name, err)
		}
		if loader != "" {
			todo = append(todo, merged(strings.TrimPrefix(loader, "/")))
		}
		for _, soname := range sonames {
			file, ok := bySoname[soname]
			if !ok {
				return fmt.Errorf("file %q needs %q, which is in none of the packages", name, soname)
			}
			todo = append(todo, file)
		}
	}
	return nil
}

// target is the name that a symbolic link leads to.
func target(e entry) string {
	to := string(e.body)
	if !path.IsAbs(to) {
		to = path.Join(path.Dir(e.name), to)
	}
	return merged(strings.TrimPrefix(path.Clean(to), "/"))
}

// dynamic tells which shared libraries a program or library asks for, and a program's loader.
func dynamic(b []byte) (sonames []string, loader string, err error) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil, "", err
	}
	if sonames, err = f.ImportedLibraries(); err != nil {
		return nil, "", err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			interp := make([]byte, min(p.Filesz, 4096))
			if _, err := p.ReadAt(interp, 0); err != nil {
				return nil, "", err
			}
			loader = strings.TrimRight(string(interp), "\x00")
		}
	}
	return sonames, loader, nil
}
