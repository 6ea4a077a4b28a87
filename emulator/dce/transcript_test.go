package dce

import (
	"os"
	"strings"
	"testing"
)

// TestTranscripts replays what is known to be sent by each modem.
func TestTranscripts(t *testing.T) {
	for _, name := range Personalities() {
		t.Run(name, func(t *testing.T) { replay(t, name) })
	}
}

func replay(t *testing.T, name string) {
	text, err := os.ReadFile("testdata/transcripts/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	p, err := LoadPersonality(name)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *Config) { c.Personality = p })
	b.on()
	u := b.user("at")
	u.awaitBoot(b)
	u.registered()
	u.send("AT&F\r")
	u.await("OK\r\n")
	bytes := strings.NewReplacer(`\r`, "\r", `\n`, "\n")
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch body, ok := strings.CutPrefix(line, "> "); {
		case ok:
			u.send(bytes.Replace(body))
		case strings.HasPrefix(line, "< "):
			want := bytes.Replace(line[2:])
			if got := u.await(want); got != want {
				t.Errorf("got %q\nwant %q", got, want)
			}
		}
	}
}

func TestBoot(t *testing.T) {
	for _, tt := range []struct {
		name, pin, want string
	}{
		{"open", "", "\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n\r\n+QUSIM: 1\r\n\r\n+QIND: SMS DONE\r\n\r\n+QIND: PB DONE\r\n"},
		{"locked", "1234", "\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: SIM PIN\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, func(c *Config) { c.SIM.PIN = tt.pin })
			u := b.user("at")
			b.awaitPorts(1)
			b.on()
			if got := u.await(tt.want); got != tt.want {
				t.Errorf("boot says %q, want %q", got, tt.want)
			}
			// A reset says it all again, after its OK.
			u.send("ATE0\r")
			u.await("OK\r\n")
			u.expect("AT+CFUN=1,1", "\r\nOK\r\n"+tt.want)
			if tt.pin == "" {
				return
			}
			// So does the card alone, with what it asks for.
			u.send("ATE0\r")
			u.await("OK\r\n")
			u.expect("AT+CFUN=0", done)
			u.expect("AT+CFUN=1", done+"\r\n+CPIN: SIM PIN\r\n")
		})
	}
}
