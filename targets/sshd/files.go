package sshd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"minato/targets/plc"
)

// Bounds of what may be put into drawer.
const (
	maxFiles     = 64
	maxFileBytes = 16 << 20 // of all files together
)

// drawer is the device's files as SFTP and scp see them: one folder in memory, with the plant's own files, which are made when they are
// read, and with what was put there, until the program ends. Nothing of the host's file system is in it.
type drawer struct {
	made map[string]func() []byte

	mu    sync.Mutex // guards what follows, and the content of each file
	files map[string]*file
	bytes int64 // of all files
}

// file is one that was put there.
type file struct {
	name    string
	content []byte
	changed time.Time
}

func newDrawer(s *Server) *drawer {
	return &drawer{
		files: make(map[string]*file),
		made: map[string]func() []byte{
			"motd": func() []byte { return []byte(s.motd()) },
			"registers.txt": func() []byte {
				var b bytes.Buffer
				plc.WriteRegisterMap(&b) // a bytes.Buffer takes everything
				return b.Bytes()
			},
			"values.json": func() []byte {
				b, err := json.MarshalIndent(s.cfg.Plant.Values(), "", "  ")
				if err != nil { // plain numbers always encode
					panic(err)
				}
				return append(b, '\n')
			},
		},
	}
}

// name is the drawer's name of a path: it has no other folders.
func (d *drawer) name(p string) (string, error) {
	name := strings.TrimPrefix(path.Clean("/"+p), "/")
	if name == "" || strings.Contains(name, "/") || len(name) > 255 {
		return "", fs.ErrNotExist
	}
	return name, nil
}

// open gives what is in a file now.
func (d *drawer) open(p string) (io.ReaderAt, error) {
	name, err := d.name(p)
	if err != nil {
		return nil, err
	}
	if made := d.made[name]; made != nil {
		return bytes.NewReader(made()), nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil {
		return nil, fs.ErrNotExist
	}
	return reader{d, f}, nil
}

// create gives an empty file of the name.
func (d *drawer) create(p string) (io.WriterAt, error) {
	name, err := d.name(p)
	if err != nil {
		return nil, err
	}
	if d.made[name] != nil {
		return nil, fs.ErrPermission
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if old := d.files[name]; old != nil {
		d.bytes -= int64(len(old.content))
		old.content = nil // a handle that is still open keeps nothing
	} else if len(d.files) == maxFiles {
		return nil, fmt.Errorf("there are %d files: remove one", maxFiles)
	}
	f := &file{name: name, changed: time.Now()}
	d.files[name] = f
	return writer{d, f}, nil
}

func (d *drawer) remove(p string) error {
	name, err := d.name(p)
	if err != nil {
		return err
	}
	if d.made[name] != nil {
		return fs.ErrPermission
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil {
		return fs.ErrNotExist
	}
	d.bytes -= int64(len(f.content))
	f.content = nil
	delete(d.files, name)
	return nil
}

func (d *drawer) rename(from, to string) error {
	oldName, err := d.name(from)
	if err != nil {
		return err
	}
	newName, err := d.name(to)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[oldName]
	switch {
	case d.made[oldName] != nil || d.made[newName] != nil:
		return fs.ErrPermission
	case f == nil:
		return fs.ErrNotExist
	case d.files[newName] != nil:
		return fs.ErrExist
	}
	delete(d.files, oldName)
	f.name = newName
	d.files[newName] = f
	return nil
}

// list is everything there is, by name.
func (d *drawer) list() []os.FileInfo {
	var out []os.FileInfo
	for name, made := range d.made {
		out = append(out, info{name: name, size: int64(len(made())), mode: 0o444, changed: time.Now()})
	}
	d.mu.Lock()
	for _, f := range d.files {
		out = append(out, info{name: f.name, size: int64(len(f.content)), mode: 0o644, changed: f.changed})
	}
	d.mu.Unlock()
	slices.SortFunc(out, func(a, b os.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return out
}

// stat of the folder, or of a file in it.
func (d *drawer) stat(p string) (os.FileInfo, error) {
	if path.Clean("/"+p) == "/" {
		return info{name: "/", mode: fs.ModeDir | 0o755, changed: time.Now()}, nil
	}
	name, err := d.name(p)
	if err != nil {
		return nil, err
	}
	for _, f := range d.list() {
		if f.Name() == name {
			return f, nil
		}
	}
	return nil, fs.ErrNotExist
}

// reader of a file as it is at each read. One that was replaced or removed meanwhile gives nothing more.
type reader struct {
	drawer *drawer
	file   *file
}

func (r reader) ReadAt(b []byte, at int64) (int, error) {
	d, f := r.drawer, r.file
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.files[f.name] != f:
		return 0, fs.ErrClosed
	case at < 0:
		return 0, fs.ErrInvalid
	case at >= int64(len(f.content)):
		return 0, io.EOF
	}
	n := copy(b, f.content[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// writer of a file. One that was replaced or removed meanwhile takes nothing more.
type writer struct {
	drawer *drawer
	file   *file
}

func (w writer) WriteAt(b []byte, at int64) (int, error) {
	d, f := w.drawer, w.file
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[f.name] != f {
		return 0, fs.ErrClosed
	}
	grow := at + int64(len(b)) - int64(len(f.content))
	if at < 0 || at > maxFileBytes || grow > 0 && d.bytes+grow > maxFileBytes {
		return 0, fmt.Errorf("the device keeps %d bytes of files at most: remove some", maxFileBytes)
	}
	if grow > 0 {
		f.content = append(f.content, make([]byte, grow)...)
		d.bytes += grow
	}
	f.changed = time.Now()
	return copy(f.content[at:], b), nil
}

// info implements fs.FileInfo.
type info struct {
	name    string
	size    int64
	mode    fs.FileMode
	changed time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.changed }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
