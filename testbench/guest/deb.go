package guest

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"strings"
)

// tree is the guest's file system, by the entries' names.
type tree map[string]entry

// unpack adds those files of a package that want asks for. The package is read as a stream: a kernel with all its modules would be
// several hundred megabytes on the disk.
func (t tree) unpack(ctx context.Context, dpkgDeb, file string, want func(name string) bool) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, dpkgDeb, "--fsys-tarfile", file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err = t.readTar(out, want); err != nil {
		cancel()
		return errors.Join(fmt.Errorf("unpacking %q: %w", path.Base(file), err), cmd.Wait())
	}
	if err = cmd.Wait(); err != nil {
		return fmt.Errorf("unpacking %q: %w", path.Base(file), err)
	}
	return nil
}

func (t tree) readTar(r io.Reader, want func(name string) bool) error {
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			_, err = io.Copy(io.Discard, r) // what pads the archive, or the program that writes it would not end well
			return err
		}
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if name == "" || !want(name) {
			continue
		}
		e := entry{name: merged(name), mode: uint32(h.Mode) & 0o7777}
		switch h.Typeflag {
		case tar.TypeDir:
			e.mode |= typeDirectory
		case tar.TypeSymlink:
			e.mode |= typeLink
			e.body = []byte(h.Linkname)
		case tar.TypeReg:
			e.mode |= typeRegular
			if e.body, err = io.ReadAll(archive); err != nil {
				return err
			}
		default:
			return fmt.Errorf("file %q has type %q: want a directory, a file or a symbolic link", name, h.Typeflag)
		}
		t.add(e)
	}
}

// merged puts what is in /bin, /sbin and /lib* below /usr, where Debian's installed systems have it; the guest's root has links.
func merged(name string) string {
	first, _, _ := strings.Cut(name, "/")
	switch first {
	case "bin", "sbin", "lib", "lib64":
		return "usr/" + name
	}
	return name
}

// add puts an entry and the directories above it.
func (t tree) add(e entry) {
	t[e.name] = e
	for dir := path.Dir(e.name); dir != "."; dir = path.Dir(dir) {
		if _, ok := t[dir]; !ok {
			t[dir] = entry{name: dir, mode: typeDirectory | 0o755}
		}
	}
}
