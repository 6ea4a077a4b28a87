package guest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// chatScript is SORACOM's published dialogue for wvdial (setup_air.sh), as chat has it.
const chatScript = `ABORT ERROR
ABORT BUSY
ABORT "NO CARRIER"
ABORT "NO DIALTONE"
TIMEOUT 60
"" ATZ
OK "ATQ0 V1 E1 S0=0 &C1 &D2 +FCLASS=0"
OK 'AT+CGDCONT=1,"IP","soracom.io"'
OK ATD*99***1#
CONNECT \c
`

// pppdOptions are those that wvdial gives to pppd, with debug messages in a file.
const pppdOptions = "modem crtscts lock noauth defaultroute noipdefault usepeerdns -detach debug logfile /run/pppd.log"

// Exit statuses of pppd(8).
const (
	pppdUserRequest = 5
	pppdHangup      = 16 // also what 2.4.9 says in the end when the peer terminated the link, or left its echo requests unanswered (15)
)

// prepare gives the guest's pppd the dialogue, its secrets for both protocols, and a script that tells when IP is up: whoever
// reads /run/ppp-up waits for it, and gets the local and the remote address.
func prepare(t *testing.T, s *sharedGuest, password string) {
	t.Helper()
	s.sh(t, fmt.Sprintf(`
cat >/etc/chatscripts/soracom <<'END'
%sEND
umask 077
echo 'sora * %s *' >/etc/ppp/chap-secrets
cp /etc/ppp/chap-secrets /etc/ppp/pap-secrets
rm -f /run/pppd.log /run/ppp-up /etc/ppp/resolv.conf
mkfifo /run/ppp-up
cat >/etc/ppp/ip-up.d/minato <<'END'
#!/bin/sh
echo "$PPP_LOCAL $PPP_REMOTE" >/run/ppp-up
END
chmod +x /etc/ppp/ip-up.d/minato`, chatScript, password))
}

// ended is how a pppd ended.
type ended struct {
	exit int
	err  error
}

// dial starts pppd on the guest's first port. It has ended when the channel says so.
func dial(t *testing.T, s *sharedGuest, options string) <-chan ended {
	t.Helper()
	return dialOn(t, s, s.guest.TTY(0), options)
}

// dialOn is dial on another port.
func dialOn(t *testing.T, s *sharedGuest, tty, options string) <-chan ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	end := make(chan ended, 1)
	go func() {
		defer cancel()
		_, exit, err := s.guest.Exec(ctx, fmt.Sprintf(
			`exec pppd %s 115200 connect "chat -v -s -f /etc/chatscripts/soracom" user sora %s %s`, tty, pppdOptions, options))
		end <- ended{exit, err}
	}()
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := s.try(t, "cat /run/pppd.log")
			t.Log(out)
		}
		cancel() // kills it, if it still runs
	})
	return end
}

// online waits until the guest has an address, and gives it.
func online(t *testing.T, s *sharedGuest, end <-chan ended) (local, remote string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	type reply struct {
		out string
		err error
	}
	up := make(chan reply, 1)
	go func() {
		out, _, err := s.guest.Exec(ctx, "read -r line </run/ppp-up; echo $line")
		up <- reply{out, err}
	}()
	select {
	case r := <-up:
		if r.err != nil {
			t.Fatal(r.err)
		}
		local, remote, _ = strings.Cut(strings.TrimSpace(r.out), " ")
		return local, remote
	case e := <-end:
		cancel()
		<-up
		t.Fatalf("pppd ended with exit status %d (%v) instead of going online", e.exit, e.err)
	}
	return "", ""
}

// hangUp ends pppd as its users do, and gives its exit status.
func hangUp(t *testing.T, s *sharedGuest, end <-chan ended) int {
	t.Helper()
	s.sh(t, "kill $(cat /var/run/ppp0.pid)")
	return await(t, end)
}

func await(t *testing.T, end <-chan ended) int {
	t.Helper()
	e := <-end
	if e.err != nil {
		t.Fatal(e.err)
	}
	return e.exit
}

// logged tells whether pppd has said so.
func logged(t *testing.T, s *sharedGuest, what string) {
	t.Helper()
	if out := s.sh(t, "cat /run/pppd.log"); !strings.Contains(out, what) {
		t.Errorf("pppd did not say %q but\n%s", what, out)
	}
}
