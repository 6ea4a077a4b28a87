package sshd

import (
	"bytes"
	"io"
	"strings"
	"testing"

	gossh "golang.org/x/crypto/ssh"

	"minato/targets/plc"
)

func TestCommands(t *testing.T) {
	full := plc.New(plc.Config{})
	full.SetValve(0)
	full.SetSetpoint(100)
	for range 1000 {
		full.Step()
	}
	tests := []struct {
		command   string
		plant     *plc.Plant
		status    int
		out, errs string // parts
	}{
		{"help", nil, 0, "set pump on|off", ""},
		{"values", nil, 0, "level        45.0 %", ""},
		{"uptime", full, 0, "up 3m20s", ""},
		{`echo "two words"  'and three'`, nil, 0, "two words and three\n", ""},
		{"cat /etc/motd", nil, 0, "Welcome to plant", ""},
		{"cat /etc/passwd", nil, 1, "", "/etc/passwd: no such file"},
		{"set pump on", nil, 0, "", ""},
		{"set pump on", full, 1, "", "the tank is full"},
		{"set pump maybe", nil, 2, "", "want on or off"},
		{"set valve 12.5%", nil, 0, "", ""},
		{"set valve 101", nil, 2, "", "0 to 100"},
		{"set valve NaN", nil, 2, "", "0 to 100"},
		{"set valve wide", nil, 2, "", "want a number"},
		{"set boiler on", nil, 2, "", `"boiler"`},
		{"set", nil, 2, "", "help"},
		{"exit 7", nil, 7, "", ""},
		{"exit 256", nil, 2, "", "0 to 255"},
		{"reboot", nil, 127, "", `"reboot": no such command`},
		{`echo "open`, nil, 2, "", "cannot read the line"},
		{"   ", nil, 0, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.command, func(t *testing.T) {
			s := session(t, login(t, Config{Plant: tt.plant}))
			var out, errs bytes.Buffer
			s.Stdout, s.Stderr = &out, &errs
			if got := exitStatus(s.Run(tt.command)); got != tt.status {
				t.Errorf("status = %d, want %d", got, tt.status)
			}
			if !strings.Contains(out.String(), tt.out) || !strings.Contains(errs.String(), tt.errs) || tt.errs == "" && errs.Len() > 0 {
				t.Errorf("out %q, err %q; want %q, %q", out.String(), errs.String(), tt.out, tt.errs)
			}
		})
	}
}

func TestLinesWithoutTerminal(t *testing.T) {
	plant := plc.New(plc.Config{})
	s := session(t, login(t, Config{Plant: plant}))
	var out bytes.Buffer
	s.Stdout = &out
	s.Stdin = strings.NewReader("echo one\nset valve 70\n\nfoo\nexit\necho two\n")
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	if got := exitStatus(s.Wait()); got != statusNotFound {
		t.Errorf("status = %d, want that of the last command", got)
	}
	if out.String() != "one\n" || plant.Values().Valve != 70 {
		t.Errorf("out = %q, valve %v", out.String(), plant.Values().Valve)
	}
}

// TestTerminal types with mistakes, as a person does.
func TestTerminal(t *testing.T) {
	s := session(t, login(t, Config{}))
	if err := s.RequestPty("xterm", 24, 80, gossh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	in, _ := s.StdinPipe()
	out, _ := s.StdoutPipe()
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	s.WindowChange(50, 132)
	io.WriteString(in, "echp\x7fo hello\rexit 3\r")
	all, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if got := exitStatus(s.Wait()); got != 3 {
		t.Errorf("status = %d, want 3", got)
	}
	for _, want := range []string{"Welcome to plant", "tech@plant> ", "\r\nhello\r\n"} {
		if !strings.Contains(string(all), want) {
			t.Errorf("terminal %q, want %q in it", all, want)
		}
	}
}

func FuzzCommandLine(f *testing.F) {
	for _, line := range []string{"help", `echo "a b" c\ d`, "set valve 1e309", "exit -1", `echo 'open`, "cat a b"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		sh := &shell{server: &Server{cfg: Config{Plant: plc.New(plc.Config{})}}, out: io.Discard, errs: io.Discard}
		sh.line(line)
		if sh.status < 0 || sh.status > 255 {
			t.Fatalf("status %d", sh.status)
		}
	})
}
