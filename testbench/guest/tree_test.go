package guest

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// module makes an ELF file with one section .modinfo, as little as debug/elf takes.
func module(t *testing.T, name, info string) entry {
	t.Helper()
	const headers, names = 64, "\x00.modinfo\x00.shstrtab\x00"
	body := []byte("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9))
	le := binary.LittleEndian
	put := func(values ...any) {
		for _, v := range values {
			var err error
			if body, err = binary.Append(body, le, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	sections := uint64(headers + len(info) + len(names))
	put(uint16(1), uint16(62), uint32(1), uint64(0), uint64(0), sections, uint32(0), uint16(headers), uint16(0), uint16(0), uint16(64), uint16(3), uint16(2))
	body = append(body, info+names...)
	body = append(body, make([]byte, 64)...)
	section := func(name, kind uint32, offset, size uint64) {
		put(name, kind, uint64(0), uint64(0), offset, size, uint32(0), uint32(0), uint64(1), uint64(0))
	}
	section(1, 1, headers, uint64(len(info)))
	section(10, 3, uint64(headers+len(info)), uint64(len(names)))
	return entry{name: name, mode: typeRegular | 0o644, body: body}
}

func TestLoadOrder(t *testing.T) {
	kernel := make(tree)
	for name, info := range map[string]string{
		"usr/lib/modules/6/kernel/drivers/net/ppp/ppp_async.ko":   "license=GPL\x00depends=ppp_generic,crc-ccitt\x00",
		"usr/lib/modules/6/kernel/drivers/net/ppp/ppp_generic.ko": "depends=slhc\x00",
		"usr/lib/modules/6/kernel/drivers/net/slip/slhc.ko":       "depends=\x00",
		"usr/lib/modules/6/kernel/lib/crc-ccitt.ko":               "depends=\x00",
		"usr/lib/modules/6/kernel/drivers/net/broken.ko":          "depends=nothing_here\x00",
	} {
		kernel.add(module(t, name, info))
	}
	root := make(tree)
	got, err := root.loadOrder(kernel, []string{"ppp_async", "slhc"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"usr/lib/modules/6/kernel/drivers/net/slip/slhc.ko", "usr/lib/modules/6/kernel/drivers/net/ppp/ppp_generic.ko",
		"usr/lib/modules/6/kernel/lib/crc-ccitt.ko", "usr/lib/modules/6/kernel/drivers/net/ppp/ppp_async.ko",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got)\n%s", diff)
	}
	for _, name := range want {
		if _, ok := root[name]; !ok {
			t.Errorf("%q is not in the guest", name)
		}
	}
	for _, name := range []string{"broken", "n_gsm"} {
		if _, err := root.loadOrder(kernel, []string{name}); err == nil {
			t.Errorf("module %q was loaded", name)
		}
	}
}

// TestReadTar: files move below /usr, directories come along, what nobody wants does not.
func TestReadTar(t *testing.T) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, h := range []tar.Header{
		{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./lib64/ld.so.2", Typeflag: tar.TypeSymlink, Linkname: "/lib/x/ld.so", Mode: 0o777},
		{Name: "./etc/ppp/", Typeflag: tar.TypeDir, Mode: 0o750},
		{Name: "./etc/ppp/../../../../escaped", Typeflag: tar.TypeReg, Mode: 0o4755, Size: 2},
		{Name: "./usr/share/doc/readme", Typeflag: tar.TypeReg, Mode: 0o644},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			w.Write([]byte("ab"))
		}
	}
	w.Close()
	got := make(tree)
	if err := got.readTar(&archive, func(name string) bool { return !strings.HasPrefix(name, "usr/share") }); err != nil {
		t.Fatal(err)
	}
	want := tree{
		"usr":               {name: "usr", mode: typeDirectory | 0o755},
		"usr/lib64":         {name: "usr/lib64", mode: typeDirectory | 0o755},
		"usr/lib64/ld.so.2": {name: "usr/lib64/ld.so.2", mode: typeLink | 0o777, body: []byte("/lib/x/ld.so")},
		"etc":               {name: "etc", mode: typeDirectory | 0o755},
		"etc/ppp":           {name: "etc/ppp", mode: typeDirectory | 0o750},
		"escaped":           {name: "escaped", mode: typeRegular | 0o4755, body: []byte("ab")},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{})); diff != "" {
		t.Errorf("tree (-want +got)\n%s", diff)
	}
	if to := target(want["usr/lib64/ld.so.2"]); to != "usr/lib/x/ld.so" {
		t.Errorf("the link leads to %q", to)
	}
}
