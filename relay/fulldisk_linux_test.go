package relay

import (
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"minato/relay/relayapi"
)

// fullDiskDir is set in the environment of TestFullDisk's child.
const fullDiskDir = "RELAY_TEST_FULL_DISK_DIR"

// TestFullDisk: on a disk that takes nothing the audit log can be read, though what is read is counted. The child's disk is full in that no file may
// grow (setrlimit(2), RLIMIT_FSIZE), which holds for a whole process.
func TestFullDisk(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestFullDiskChild$", "-test.v")
	child.Env = append(os.Environ(), fullDiskDir+"="+t.TempDir())
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFullDiskChild") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestFullDiskChild(t *testing.T) {
	dir := os.Getenv(fullDiskDir)
	if dir == "" {
		return // a test of its own only as a child
	}
	signal.Ignore(syscall.SIGXFSZ) // the write fails then
	r := startRelay(t, Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	r.mapping(false)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = 1
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if list, _, err := r.AuditLogs(t.Context(), relayapi.AuditQuery{}); err != nil || len(list) != 1 || list[0].Type != relayapi.AuditCreated {
			t.Errorf("audit log %+v, %v", list, err)
		}
	}
}
