package guest

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWriteCPIO holds an archive against its layout, field by field. That the kernel unpacks such archives, every boot shows.
func TestWriteCPIO(t *testing.T) {
	var got bytes.Buffer
	err := writeCPIO(&got, []entry{
		{name: "dev/console", mode: typeCharacter | 0o600, major: 5, minor: 1},
		{name: "dev", mode: typeDirectory | 0o755},
		{name: "etc", mode: typeRegular | 0o644, body: []byte("hello")},
		{name: "x", mode: typeLink | 0o777, body: []byte("etc")},
	})
	if err != nil {
		t.Fatal(err)
	}
	//          magic   inode     mode      uid       gid       links     mtime     size      dev 0,0           rdev              name      check
	want := "" +
		"070701" + "00000001" + "000041ed" + "00000000" + "00000000" + "00000002" + "00000000" + "00000000" + "0000000000000000" + "0000000000000000" + "00000004" + "00000000" +
		"dev\x00" + "\x00\x00" +
		"070701" + "00000002" + "00002180" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000" + "0000000000000000" + "0000000500000001" + "0000000c" + "00000000" +
		"dev/console\x00" + "\x00\x00" +
		"070701" + "00000003" + "000081a4" + "00000000" + "00000000" + "00000001" + "00000000" + "00000005" + "0000000000000000" + "0000000000000000" + "00000004" + "00000000" +
		"etc\x00" + "\x00\x00" + "hello" + "\x00\x00\x00" +
		"070701" + "00000004" + "0000a1ff" + "00000000" + "00000000" + "00000001" + "00000000" + "00000003" + "0000000000000000" + "0000000000000000" + "00000002" + "00000000" +
		"x\x00" + "etc" + "\x00" +
		"070701" + "00000000" + "00000000" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000" + "0000000000000000" + "0000000000000000" + "0000000b" + "00000000" +
		"TRAILER!!!\x00" + "\x00\x00\x00"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("archive (-want +got)\n%s", diff)
	}
	if got.Len()%4 != 0 {
		t.Errorf("the archive has %d octets, want a multiple of 4", got.Len())
	}
}
