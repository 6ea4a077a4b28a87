package guest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"minato/testbench/env"
)

// TestDisk holds the disk against qemu's own client of the protocol: what was flushed, or written through the cache, outlives a cut; the rest
// outlives it as far as survives says; and until the cut everything is read back.
func TestDisk(t *testing.T) {
	qemuIO, err := env.Tool("qemu-io", "qemu-utils")
	require(t, err)
	const block = 4096
	for _, tt := range []struct {
		name     string
		survives bool
		want     []byte // the first octet of each block, afterwards
	}{
		{"nothing survives", false, []byte{1, 1, 3, 0}},
		{"everything survives", true, []byte{1, 2, 3, 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "image")
			if err := os.WriteFile(image, make([]byte, 64<<10), 0o644); err != nil {
				t.Fatal(err)
			}
			disk, err := OpenDisk(image)
			if err != nil {
				t.Fatal(err)
			}
			defer disk.Close()
			run := func(commands ...string) error {
				args := []string{"-f", "raw", "-t", "writeback"}
				for _, c := range commands {
					args = append(args, "-c", c)
				}
				out, err := exec.CommandContext(t.Context(), qemuIO, append(args, disk.Drive())...).CombinedOutput()
				if err != nil || bytes.Contains(out, []byte("rror")) || bytes.Contains(out, []byte("verification failed")) {
					t.Logf("%v: %s", err, out)
				}
				return err
			}
			// abort ends it as a power cut would: an orderly end flushes.
			if run("write -P 1 0 8k", "flush", "write -P 2 4k 4k", "write -P 3 -f 8k 4k", "write -P 4 12k 4k", "read -P 2 4k 4k", "abort") == nil {
				t.Error("qemu-io has not aborted")
			}
			if _, _, err := disk.CutPower(func() bool { return tt.survives }); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(image)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range tt.want {
				if b := got[i*block : (i+1)*block]; !bytes.Equal(b, bytes.Repeat([]byte{want}, block)) {
					t.Errorf("block %d has %d..., want %d", i, b[0], want)
				}
			}
			if err := run("read -P 1 0 4k", "read -P 3 8k 4k", "write -P 5 16k 512", "read -P 5 16k 512"); err != nil { // the next guest
				t.Errorf("reading afterwards: %v", err)
			}
		})
	}
}
