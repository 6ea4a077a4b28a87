package hostnet

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// Of two agents with one state directory the second is told, and changes nothing.
func TestUndoIsOfOneProcess(t *testing.T) {
	dir, silent := t.TempDir(), slog.New(slog.DiscardHandler)
	path := filepath.Join(t.TempDir(), "resolv.conf")
	u := open(t, dir)
	if err := (DNS{Method: "file", Servers: servers, File: path}).apply("minato0", u); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenUndo(dir, silent); !errors.Is(err, ErrInUse) {
		t.Errorf("a second OpenUndo: %v", err)
	}
	if err := Restore(dir, silent); !errors.Is(err, ErrInUse) {
		t.Errorf("Restore beside a running agent: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the running agent's name servers are gone: %v", err)
	}
	u.Close()
	if err := Restore(dir, silent); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("not restored: %v", err)
	}
}

// A file that is none is put aside, and keeps no agent from starting.
func TestUndoFileIsBroken(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"", "{", `{"rule": "nowhere"}`, `[1]`} {
		if err := os.WriteFile(filepath.Join(dir, undoName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		u := open(t, dir)
		u.Close()
		if b, err := os.ReadFile(filepath.Join(dir, undoName+".bad")); err != nil || string(b) != text {
			t.Errorf("%q: %q, %v", text, b, err)
		}
	}
}

// Where the note cannot be written, no file is changed.
func TestNothingWithoutANote(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	u := open(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := (DNS{Method: "file", Servers: servers, File: path}).apply("minato0", u); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("changed without a note: %v", err)
	}
}

// What was there before an earlier link's name servers outlives a link that could not put it back.
func TestNameServersWaitToBeRestored(t *testing.T) {
	dir := t.TempDir()
	etc := filepath.Join(t.TempDir(), "etc")
	path := filepath.Join(etc, "resolv.conf")
	if err := errors.Join(os.Mkdir(etc, 0o755), os.WriteFile(path, []byte(lan), 0o644)); err != nil {
		t.Fatal(err)
	}
	d := DNS{Method: "file", Servers: servers, File: path}
	u := open(t, dir)
	if err := d.apply("minato0", u); err != nil {
		t.Fatal(err)
	}
	u.now.DNS.Path = filepath.Join(path, "no directory")
	if err := u.Restore(); err == nil {
		t.Fatal("restored, so that this test proves nothing")
	}
	if err := d.apply("minato0", u); err == nil {
		t.Error("set once more")
	}
	u.now.DNS.Path = path
	if err := u.Restore(); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != lan {
		t.Errorf("%q, %v", b, err)
	}
}

func TestInterfaceName(t *testing.T) {
	for name, want := range map[string]bool{"minato0": true, "wwp0s20u4i4": true, "": false, "a-name-of-16-chars": false, "a/b": false, "..": false, "a b": false, "a:1": false} {
		if IsInterfaceName(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
