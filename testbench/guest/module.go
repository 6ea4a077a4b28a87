package guest

import (
	"bytes"
	"debug/elf"
	"fmt"
	"path"
	"slices"
	"strings"
)

// loadOrder adds the kernel modules wanted and those that they depend on to t, and gives their files in the order in which they are to
// be loaded.
func (t tree) loadOrder(modules tree, wanted []string) (order []string, err error) {
	byName := make(map[string]string)
	for name := range modules {
		if base, ok := strings.CutSuffix(path.Base(name), ".ko"); ok {
			byName[moduleName(base)] = name
		}
	}
	var load func(name string) error
	load = func(name string) error {
		file, ok := byName[moduleName(name)]
		if !ok {
			return fmt.Errorf("kernel module %q is not in the kernel's package", name)
		}
		if slices.Contains(order, file) {
			return nil
		}
		depends, err := moduleDepends(modules[file].body)
		if err != nil {
			return fmt.Errorf("reading %q: %w", file, err)
		}
		for _, d := range depends {
			if err := load(d); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		t.add(modules[file])
		order = append(order, file)
		return nil
	}
	for _, name := range wanted {
		if err := load(name); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// moduleName is the kernel's own name of a module: its file may have hyphens where that has underscores.
func moduleName(s string) string { return strings.ReplaceAll(s, "-", "_") }

// moduleDepends reads "depends=a,b" of a module's section .modinfo, a list of NUL-terminated key=value.
func moduleDepends(b []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	section := f.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("no section .modinfo: not a kernel module")
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for field := range bytes.SplitSeq(info, []byte{0}) {
		if list, ok := strings.CutPrefix(string(field), "depends="); ok && list != "" {
			return strings.Split(list, ","), nil
		}
	}
	return nil, nil
}
