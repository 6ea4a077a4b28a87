package emulator

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"minato/emulator/ttytest"
)

// gammu runs Debian's gammu on modems, each call a process of its own.
type gammu struct {
	t      testing.TB
	config string
}

func newGammu(t testing.TB, e *Emulator, n int) gammu {
	t.Helper()
	if _, err := exec.LookPath("gammu"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("gammu is not installed (Debian's package gammu)")
		}
		t.Skip("gammu is not installed (Debian's package gammu)")
	}
	config := filepath.Join(t.TempDir(), "gammurc")
	text := fmt.Sprintf("[gammu]\ndevice = %s\nconnection = at\n", e.Modem(n).ATPath())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return gammu{t, config}
}

// run gives what gammu prints.
func (g gammu) run(args ...string) string {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 2*ttytest.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "gammu", append([]string{"-c", g.config}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "LANGUAGE=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("gammu %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (g gammu) wants(out string, wants ...string) {
	g.t.Helper()
	for _, want := range wants {
		if !strings.Contains(out, want) {
			g.t.Errorf("gammu does not print %q:\n%s", want, out)
		}
	}
}

// TestGammu has an independent program look at a modem, and two of it exchange messages.
func TestGammu(t *testing.T) {
	t.Parallel() // it pauses half a second around everything it sends
	e := start(t, Config{Modems: 2})
	a, b := newGammu(t, e, 0), newGammu(t, e, 1)
	messageTTY(t, e, 0).Close() // registered
	messageTTY(t, e, 1).Close()
	a.wants(a.run("identify"), "Manufacturer         : Quectel", "Model                : unknown (EC25)", "IMEI                 : "+e.Modem(0).Status().IMEI, "SIM IMSI             : 440101234567890")
	a.wants(a.run("monitor", "1"), "Signal strength      : -5", "Network state        : home network", "Phone SMS status     : 0 used, 0 unread, 255 locations")
	a.wants(a.run("getsmsc"), `"+819000000001"`)

	long := strings.Repeat("the gate is open. ", 15)
	out := a.run("sendsms", "TEXT", number1, "-autolen", "400", "-text", long)
	a.wants(out, "Sending SMS 2/2", "OK, message reference=2")
	a.wants(a.run("sendsms", "TEXT", number1, "-unicode", "-text", "港から"), "OK, message reference=3")
	if status, text := ask(t, e, "POST", "/v1/sims/"+sim1+"/sms", `{"from":"SORACOM","text":"{from} outside €"}`); status != 202 {
		t.Errorf("%d %s", status, text)
	}
	b.wants(b.run("geteachsms"), `Remote number        : "`+number0+`"`, strings.TrimSpace(long), "Coding               : Unicode", "港から",
		`Remote number        : "SORACOM"`, "{from} outside €", "4 SMS parts in 3 SMS sequences")
	b.run("deleteallsms", "3")
	b.wants(b.run("geteachsms"), "0 SMS parts in 0 SMS sequences")
	_, sent := ask(t, e, "GET", "/v1/sims/"+sim0+"/sms", "")
	if !strings.Contains(sent, strings.TrimSpace(long)) || !strings.Contains(sent, `"text":"港から"`) {
		t.Errorf("sent %s", sent)
	}
}
