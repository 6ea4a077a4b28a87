package sshd

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/sftp"
)

func files(t *testing.T, cfg Config) *sftp.Client {
	t.Helper()
	c, err := sftp.NewClient(login(t, cfg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func put(c *sftp.Client, name string, content []byte) error {
	f, err := c.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func get(t *testing.T, c *sftp.Client, name string) []byte {
	t.Helper()
	f, err := c.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSFTP(t *testing.T) {
	c := files(t, Config{})
	for name, want := range map[string]string{"motd": "Welcome to plant", "/registers.txt": "holding register", "./values.json": `"level": 45`} {
		if got := get(t, c, name); !strings.Contains(string(got), want) {
			t.Errorf("%s = %q, want %q in it", name, got, want)
		}
	}
	content := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	for range 2 { // the second time over the first
		if err := put(c, "upload.bin", content); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(get(t, c, "upload.bin"), content) {
			t.Error("what was put there is not what is there")
		}
	}
	if err := c.Rename("upload.bin", "other.bin"); err != nil {
		t.Error(err)
	}
	infos, err := c.ReadDir("/")
	var names []string
	for _, i := range infos {
		names = append(names, i.Name())
	}
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{"motd", "other.bin", "registers.txt", "values.json"}) {
		t.Errorf("files %q, %v", names, err)
	}
	if err := c.Remove("other.bin"); err != nil {
		t.Error(err)
	}
	if _, err := c.Stat("other.bin"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a removed file: %v", err)
	}
}

func TestSFTPRefuses(t *testing.T) {
	c := files(t, Config{})
	tests := []struct {
		name string
		do   func() error
		want error // nil: any
	}{
		{"the host's files", func() error { _, err := c.Open("/etc/passwd"); return err }, fs.ErrNotExist},
		{"above the folder", func() error { _, err := c.Open("../../etc/passwd"); return err }, fs.ErrNotExist},
		{"a folder", func() error { return c.Mkdir("/sub") }, nil},
		{"writing what is made", func() error { return put(c, "motd", nil) }, fs.ErrPermission},
		{"removing what is made", func() error { return c.Remove("motd") }, fs.ErrPermission},
		{"renaming over what is made", func() error { return c.Rename("motd", "x") }, fs.ErrPermission},
		{"removing nothing", func() error { return c.Remove("nothing") }, fs.ErrNotExist},
		{"links", func() error { return c.Symlink("motd", "x") }, nil},
		{"too much", func() error { return put(c, "big", make([]byte, maxFileBytes+1)) }, nil},
		{"too many", func() error {
			for i := range maxFiles + 1 {
				if err := put(c, strings.Repeat("x", i+1), nil); err != nil {
					return err
				}
			}
			return nil
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.do(); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
		})
	}
}

// TestOpenFileIsNoCopy: however often a file is open, it is in memory once, and not at all when it was replaced or removed.
func TestOpenFileIsNoCopy(t *testing.T) {
	s, err := NewServer(Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := s.files
	w, err := d.create("a")
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.open("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteAt([]byte("hello"), 0); err != nil {
		t.Fatal(err)
	}
	if err := d.rename("a", "b"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, err := r.ReadAt(b, 1); string(b[:n]) != "ello" || err != io.EOF {
		t.Errorf("ReadAt = %q, %v, want what is there now, and the end", b[:n], err)
	}
	if n, err := r.ReadAt(b, 5); n != 0 || err != io.EOF {
		t.Errorf("ReadAt at the end = %d, %v", n, err)
	}
	for name, end := range map[string]func() error{
		"replaced": func() error { _, err := d.create("b"); return err },
		"removed":  func() error { return d.remove("b") },
	} {
		if _, err := d.create("b"); err != nil {
			t.Fatal(err)
		}
		open, err := d.open("b")
		if err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if _, err := open.ReadAt(b, 0); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: ReadAt = %v, want %v", name, err, fs.ErrClosed)
		}
	}
}
