package stock

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"minato/emulator"
)

// soracomDial is how SORACOM has wvdial dial.
const soracomDial = "testdata/soracom.chat"

// TestChat has chat dial, as pppd would have it, over both kinds of port. Then the port is closed, which ends the call.
func TestChat(t *testing.T) {
	for _, tt := range []struct{ name, script string }{
		{"SORACOM's dial strings", soracomDial},
		{"Debian's strings", "testdata/debian.chat"},
		{"Quectel's strings", "testdata/quectel.chat"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chat := tool(t, "chat", "ppp")
			e := startEmulator(t, emulator.Config{})
			for _, port := range []string{e.Modem(0).PPPPath(), e.Modem(0).ATPath()} {
				tty := openTTY(t, port)
				if out, err := runChat(t, chat, tt.script, tty); err != nil {
					t.Fatalf("%s: %v\n%s", port, err, out)
				}
				expectFlag(t, tty)
				if calls := e.Modem(0).Status().Calls; len(calls) != 1 {
					t.Fatalf("%s: the modem has %d calls, wanted 1", port, len(calls))
				}
				tty.Close()
				await(t, within(t), "the call to end with the port", func() (bool, error) { return len(e.Modem(0).Status().Calls) == 0, nil })
			}
		})
	}
}

// TestChatAborts: chat knows the modem's refusal of a call.
func TestChatAborts(t *testing.T) {
	chat := tool(t, "chat", "ppp")
	e := startEmulator(t, emulator.Config{})
	if err := e.Modem(0).Inject("sim-out", nil); err != nil {
		t.Fatal(err)
	}
	tty := openTTY(t, e.Modem(0).PPPPath())
	defer tty.Close()
	out, err := runChat(t, chat, soracomDial, tty)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 4 { // the first of the script's ABORT strings
		t.Errorf("%v, wanted exit status 4, for NO CARRIER\n%s", err, out)
	}
}

// openTTY opens a port; what a test holds keeps it open between the programs that it is given to.
func openTTY(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// runChat gives chat the port as standard input and output, as pppd does.
func runChat(t *testing.T, chat, script string, tty *os.File) (log string, err error) {
	t.Helper()
	path, err := filepath.EvalSymlinks(tty.Name())
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0) // blocking, which chat's descriptors must be
	if err != nil {
		t.Fatal(err)
	}
	line := os.NewFile(uintptr(fd), path)
	defer line.Close()
	cmd := exec.CommandContext(within(t), chat, "-v", "-s", "-f", script, "-T", "soracom.io")
	var said strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = line, line, &said
	err = cmd.Run()
	return said.String(), err
}

// expectFlag waits for the first octet of PPP, which the modem sends by itself.
func expectFlag(t *testing.T, tty *os.File) {
	t.Helper()
	if err := tty.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 256)
	for !bytes.ContainsRune(got, '~') {
		n, err := tty.Read(buf)
		if got = append(got, buf[:n]...); err != nil {
			t.Fatalf("waiting for PPP: %v after %q", err, got)
		}
	}
}
