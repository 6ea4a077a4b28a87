package relay

import (
	"os"
	"path/filepath"
	"testing"
)

// A file is replaced and never written over: who has the old one open has it whole. What cannot be done leaves nothing behind.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := writeFile(name, []byte("newer"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, _ := old.Read(b); string(b[:n]) != "old" {
		t.Errorf("the old file is %q now", b[:n])
	}
	got, err := os.ReadFile(name)
	info, _ := os.Stat(name)
	if err != nil || string(got) != "newer" || info.Mode() != 0o644 {
		t.Errorf("%q, %v, mode %v", got, err, info.Mode())
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(dir, "folder"), nil, 0o644); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 2 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// The root certificate is written so, at each start.
func TestRootIsReplaced(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	r := startRelay(t, Config{Dir: dir})
	b := make([]byte, 10)
	if n, _ := old.Read(b); string(b[:n]) != "old" {
		t.Errorf("the old file is %q now", b[:n])
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != string(r.caPEM) {
		t.Errorf("ca.pem: %q, %v", got, err)
	}
}
