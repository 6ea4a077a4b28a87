package guest

import (
	"bytes"
	"context"
	"net"
	"regexp"
	"testing"
	"time"

	"minato/emulator"
	"minato/emulator/core"
)

// startModem runs an emulator of one modem until the test's end, plugs the guest's port into it, and waits until it may dial.
func startModem(t *testing.T, s *sharedGuest, cfg emulator.Config) (*emulator.Emulator, *recording) {
	t.Helper()
	cfg.Dir = t.TempDir()
	e, err := emulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	select {
	case <-e.Ready():
	case err := <-done:
		done <- nil
		t.Fatalf("emulator: %v", err)
	}
	awaitRegistration(t, e.Modem(0).SocketPath())
	return e, s.line.plug(t, e.Modem(0).SocketPath())
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
