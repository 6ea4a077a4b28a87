package guest

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// entry is one file of the initramfs.
type entry struct {
	name         string // relative to the root
	mode         uint32 // type and permissions, as in stat(2)
	body         []byte // of a regular file; the target of a symbolic link
	major, minor uint32 // of a device
}

// File types of stat(2), which cpio shares.
const (
	typeMask      = 0o170000
	typeDirectory = 0o040000
	typeCharacter = 0o020000
	typeRegular   = 0o100000
	typeLink      = 0o120000
)

const (
	newcMagic   = "070701"
	newcTrailer = "TRAILER!!!"
	newcHeader  = 110 // octets: the magic and 13 fields of 8 hexadecimal digits
)

// writeCPIO writes an archive in the form "newc", which is what the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format.rst):
// header, name and body of each file, each padded to 4 octets from the archive's start. Everything belongs to root, and nothing
// depends on the clock, so that equal entries make equal archives. Entries are sorted, which puts directories before what is in them.
func writeCPIO(w io.Writer, entries []entry) error {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	for i, e := range entries {
		if err := writeNewc(w, uint32(i+1), e); err != nil {
			return fmt.Errorf("archiving %q: %w", e.name, err)
		}
	}
	return writeNewc(w, 0, entry{name: newcTrailer})
}

func writeNewc(w io.Writer, inode uint32, e entry) error {
	links := uint32(1)
	if e.mode&typeMask == typeDirectory {
		links = 2
	}
	head := newcMagic
	for _, field := range []uint32{
		inode, e.mode, 0 /* uid */, 0 /* gid */, links, 0 /* mtime */, uint32(len(e.body)),
		0, 0 /* device it is on */, e.major, e.minor, uint32(len(e.name) + 1), 0, /* checksum: only form "crc" has one */
	} {
		head += fmt.Sprintf("%08x", field)
	}
	b := append([]byte(head+e.name), 0)
	b = append(pad4(b), e.body...)
	_, err := w.Write(pad4(b)) // every header begins at a multiple of 4, so padding here is padding from the start
	return err
}

func pad4(b []byte) []byte {
	return append(b, make([]byte, -len(b)&3)...)
}
