package guest

import (
	"bufio"
	"bytes"
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

	// Without CLOCAL an open waits for DCD, and the kernel does not wake it when that rises later. stty opens without waiting, and what
	// it sets stays for the next open.
	guest := start(ctx, s.guest.control, `
		stty -F /dev/gsmtty1 raw -echo clocal && stty -F /dev/gsmtty2 raw -echo clocal || exit 1
		exec 3<>/dev/gsmtty1 4<>/dev/gsmtty2
		printf 'AT\r' >&3
		read -r reply <&3
		echo "$reply"`)
	var opened []byte
	var channels []*cmux.Channel
	for range 4 {
		c, err := mux.Accept(ctx)
		if err != nil {
			t.Fatal(err)
		}
		opened, channels = append(opened, c.DLCI()), append(channels, c)
	}
	if want := []byte{1, 2, 1, 2}; !bytes.Equal(opened, want) {
		t.Fatalf("the guest opened channels %d, want %d", opened, want)
	}
	at := channels[2]
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
