package guest

import (
	"bytes"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"minato/emulator"
	"minato/emulator/core"
)

// startModem runs an emulator of one modem until the test's end, plugs the guest's port into it, and waits until it may dial.
func startModem(t *testing.T, s *sharedGuest, cfg emulator.Config) (*emulator.Emulator, *recording) {
	t.Helper()
	cfg.Dir = t.TempDir()
	e, stop, err := emulator.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	awaitRegistration(t, e.Modem(0).SocketPath())
	heard := s.line.plug(t, e.Modem(0).SocketPath())
	s.settle(t)
	heard.reset()
	return e, heard
}

// settle asks the modem for an answer of its own. What pppd of the test before had not sent yet reaches the new modem first, and its text
// ("Authentication failed") holds an AT that would begin the next command.
func (s *sharedGuest) settle(t *testing.T) {
	t.Helper()
	s.sh(t, strings.ReplaceAll(`exec 3<>TTY; stty -F TTY raw -echo clocal
		printf '\rATE0\r' >&3; until [ "$line" = "$(printf 'OK\r')" ]; do read -r line <&3; done; line=
		printf 'ATZ\r' >&3; until [ "$line" = "$(printf 'OK\r')" ]; do read -r line <&3; done`, "TTY", s.guest.TTY(0)))
}

var registered = regexp.MustCompile(`\+CEREG: (1,)?1\b`) // asked for, or told

func awaitRegistration(t *testing.T, socket string) {
	t.Helper()
	port, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	port.SetDeadline(time.Now().Add(time.Minute))
	if _, err := port.Write([]byte("AT+CEREG=1;+CEREG?\r")); err != nil {
		t.Fatal(err)
	}
	var heard bytes.Buffer
	for buf := make([]byte, 256); !registered.Match(heard.Bytes()); {
		n, err := port.Read(buf)
		if err != nil {
			t.Fatalf("waiting for the registration: %v, after %q", err, heard.Bytes())
		}
		heard.Write(buf[:n])
	}
}

// simID is the default subscriber's.
func simID() string { return core.DefaultSubscriber(0).SIMID }
