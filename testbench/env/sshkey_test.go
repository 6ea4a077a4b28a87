package env

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSSHKey: the key of a directory stays the same, and one that cannot be read is not replaced.
func TestSSHKey(t *testing.T) {
	dir := t.TempDir()
	first, err := sshKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := sshKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the second time (-first +second):\n%s", diff)
	}
	if err := os.WriteFile(first.File, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sshKey(dir); err == nil || !strings.Contains(err.Error(), first.File) {
		t.Errorf("with a broken file: %v", err)
	}
}
