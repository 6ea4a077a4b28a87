package dce

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// nullLine keeps what is written.
type nullLine struct{ bytes.Buffer }

func (*nullLine) Close() error                     { return nil }
func (*nullLine) SetReadDeadline(time.Time) error  { return nil }
func (*nullLine) SetWriteDeadline(time.Time) error { return nil }
func (l *nullLine) TryWrite(b []byte) (int, error) { return l.Write(b) }

var _ Line = (*nullLine)(nil)
var _ io.Writer = (*nullLine)(nil)

// FuzzPort gives any bytes to a port in command state: nothing panics, and the port then answers AT as ever.
func FuzzPort(f *testing.F) {
	f.Add([]byte("AT\r"))
	f.Add([]byte("ATE0V1Q0X4&C1&D2S0=0\rA/A/"))
	f.Add([]byte("AT+CPIN=\"1234\",\"4321\";+CLCK=\"SC\",2;+CPWD=\"SC\",\"1\",\"2\"\r"))
	f.Add([]byte("AT+CGDCONT=1,\"IP\",\"a;b\";+CGAUTH=1,1,\"u\",\"p\";+CGACT=1,1;+CGPADDR\r"))
	f.Add([]byte("AT+COPS=1,2,\"44010\";+COPS?;+CRSM=176,12258,0,0,10;+QENG=\"servingcell\";+QICSGP=1\r"))
	f.Add([]byte("ATS3=65\rA\x00ATS5=13\r"))
	f.Add([]byte("\x7e\xff}#\xc0!}!}!} }9}\"}&} } } } ~ATD*99***1#\r+++ATH\r"))
	for _, name := range Personalities() {
		text, err := os.ReadFile("testdata/transcripts/" + name + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if body, ok := strings.CutPrefix(line, "> "); ok {
				f.Add([]byte(strings.ReplaceAll(strings.TrimSpace(body), `\r`, "\r")))
			}
		}
	}
	personality, err := LoadPersonality(DefaultPersonality)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := New(Config{Personality: personality, Network: &fakeNetwork{}, SIM: goodSIM})
		if err != nil {
			t.Fatal(err)
		}
		m.booting = false
		m.reg.lost = true // nobody runs the modem, and so no attempt to register would end
		line := &nullLine{}
		p := &port{m: m, line: line, out: newOutput(line), log: m.log, set: m.power(), asm: assembler{max: 256}}
		p.commands(t.Context(), data)
		m.spawns.Wait()

		m.mu.Lock()
		m.booting = false // a reset may have come
		m.mu.Unlock()
		p.set = m.personality.factory() // and S3, E and Q may be anything
		p.asm = assembler{max: 256}
		p.askFails() // and text may be awaited
		line.Reset()
		p.commands(t.Context(), []byte("AT\r"))
		if got := line.String(); got != "AT\r\r\nOK\r\n" {
			t.Errorf("afterwards AT gave %q", got)
		}
	})
}

func FuzzSplitArgs(f *testing.F) {
	for _, s := range []string{"", "1,2", `1,"IP","a,b",,`, `"`, `"a"b`, " , "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := splitArgs(s)
		if err != nil {
			return
		}
		for i := range a {
			if n, ok := a.number(i, 0, 0, 100); ok && (n < 0 || n > 100) {
				t.Errorf("number %d of %q is %d", i, s, n)
			}
		}
	})
}

// FuzzPersonality gives any text to the loader of data files.
func FuzzPersonality(f *testing.F) {
	text, err := personalities.ReadFile("personalities/" + DefaultPersonality + ".yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("name: x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePersonality(text)
		if err != nil {
			return
		}
		if _, err := New(Config{Personality: p, Network: &fakeNetwork{}, SIM: goodSIM}); err != nil {
			t.Errorf("a personality that loads makes no modem: %v", err)
		}
	})
}
