package guest

import (
	"bufio"
	"context"
	"testing"
	"time"

	"minato/agent/cmux"
)

// ngsmTimeout is for a whole test, on a machine that is busy with others.
const ngsmTimeout = 90 * time.Second

// TestNGSM holds our end of the multiplexer, the modem's, against the kernel's, the host's, with 127 octets a frame.
func TestNGSM(t *testing.T) {
	s := sharedFor(t)
	ctx, cancel := context.WithTimeout(t.Context(), ngsmTimeout)
	defer cancel()
	port, err := s.line.listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	mux := cmux.New(port, cmux.Config{Role: cmux.Responder, N1: 127})
	done := make(chan error, 1)
	go func() { done <- mux.Run(ctx) }() // ends at the latest with ctx
	t.Cleanup(func() {
		cancel()
		s.try(t, "killall gsmattach")
		<-done
	})
	attached := start(ctx, s.guest.control, "exec <>"+s.guest.TTY(0)+" && stty 115200 raw -echo crtscts && exec gsmattach")
	select {
	case <-mux.Ready():
	case a := <-attached:
		t.Fatalf("gsmattach: exit status %d, %v", a.exit, a.err)
	}

	guest := start(ctx, s.guest.control, `
		exec 3<>/dev/gsmtty1 4<>/dev/gsmtty2 && stty raw -echo <&3 || exit 1
		printf 'AT\r' >&3
		read -r reply <&3
		echo "$reply"`)
	at := acceptWithCarrier(ctx, t, mux, 1)
	acceptWithCarrier(ctx, t, mux, 2)
	if got, err := bufio.NewReader(at).ReadString('\r'); err != nil || got != "AT\r" {
		t.Errorf("on the first channel: %q, %v", got, err)
	}
	if _, err := at.Write([]byte("OK over the first channel\n")); err != nil {
		t.Fatal(err)
	}
	a := <-guest
	if a.err != nil || a.exit != 0 {
		t.Fatalf("the guest's script: exit status %d, %v", a.exit, a.err)
	}
	if want := "OK over the first channel\n"; a.out != want {
		t.Errorf("the guest says %q, want %q", a.out, want)
	}
	stats := mux.Stats()
	if stats.BadFCS != 0 || stats.Malformed != 0 || stats.Oversize != 0 || stats.LongFrames != 0 || stats.Overruns != 0 || stats.BadMessages != 0 {
		t.Errorf("the kernel's frames are not all in order: %+v", stats)
	}
}

// acceptWithCarrier takes the channel that the guest opens now. Without CLOCAL its open waits for DCD, which is DV.
func acceptWithCarrier(ctx context.Context, t *testing.T, mux *cmux.Mux, dlci byte) *cmux.Channel {
	t.Helper()
	c, err := mux.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if c.DLCI() != dlci {
		t.Fatalf("the guest opened channel %d, want %d", c.DLCI(), dlci)
	}
	if err := c.SetSignals(cmux.Signals{RTC: true, RTR: true, DV: true}); err != nil {
		t.Fatal(err)
	}
	return c
}
