package guest

import (
	"context"
	"strings"
	"testing"

	"minato/emulator"
)

// TestMultiplexedCall has the kernel's multiplexer on the emulator's own AT+CMUX: pppd is online on one channel while another one takes
// commands, and at the end the port takes them again.
func TestMultiplexedCall(t *testing.T) {
	s := sharedFor(t)
	e, heard := startModem(t, s, emulator.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*ngsmTimeout)
	defer cancel()
	attached := start(ctx, s.guest.control, "exec <>"+s.guest.TTY(0)+` >&0 && stty 115200 raw -echo crtscts || exit 1
		printf 'ATE0\r'; until [ "$line" = "$(printf 'OK\r')" ]; do read -r line; done; line=
		printf 'AT+CMUX=0,0,5,127\r'; until [ "$line" = "$(printf 'OK\r')" ]; do read -r line; done
		exec gsmattach`)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%.20000s", heard)
		}
		s.try(t, "killall gsmattach")
		<-attached
	})
	s.sh(t, `until stty -F /dev/gsmtty1 raw -echo clocal; do usleep 50000; done`)
	ask := func(command string) string {
		return s.sh(t, `exec 3<>/dev/gsmtty1; printf 'ATE0\r' >&3; until [ "$line" = "$(printf 'OK\r')" ]; do read -r line <&3; done; line=
			printf '`+command+`\r' >&3; until [ "$line" = "$(printf 'OK\r')" ]; do read -r line <&3; echo "$line"; done`)
	}
	if got := ask("AT+CMUX?"); !strings.Contains(got, "+CMUX: 0,0,5,127") {
		t.Errorf("on the first channel: %q", got)
	}
	prepare(t, s, "sora")
	end := dialOn(t, s, "/dev/gsmtty2", "")
	online(t, s, end)
	fetch(t, s, e.Core())
	upload(t, s, e.Core())
	if got := ask("AT+CSQ"); !strings.Contains(got, "+CSQ: 30,99") {
		t.Errorf("beside the call: %q", got)
	}
	if exit := hangUp(t, s, end); exit != pppdUserRequest {
		t.Errorf("pppd ended with exit status %d after SIGTERM, want %d", exit, pppdUserRequest)
	}
}
