package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minato/agent/tty"
)

// fakePort is a modem on a PTY that knows two answers.
func fakePort(t *testing.T) string {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Dup(int(master.Fd())) // that package leaves its file blocking; and a descriptor has one owner
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	master.Close()
	master2 := os.NewFile(uintptr(fd), "ptmx") // takes part in the poller: Close ends its Read
	done := make(chan struct{})
	go func() {
		defer close(done)
		b, line := make([]byte, 1), ""
		for {
			if _, err := master2.Read(b); err != nil {
				return
			}
			if b[0] != '\r' {
				line += string(b)
				continue
			}
			answer := map[string]string{"AT+CIMI": "440101234567890\r\n\r\nOK", "ATI": "Quectel\r\n\r\nOK", `AT+CPIN="1234"`: "OK"}[strings.ToUpper(line)]
			if answer == "" {
				answer = "ERROR"
			}
			io.WriteString(master2, "\r\n"+answer+"\r\n")
			line = ""
		}
	}()
	t.Cleanup(func() { slave.Close(); master2.Close(); <-done })
	return slave.Name()
}

func TestTranscript(t *testing.T) {
	port, file := fakePort(t), filepath.Join(t.TempDir(), "modem.txt")
	var out bytes.Buffer
	args := []string{"at", "--port", port, "--record", file, "ATI", "at+cimi", `AT+CPIN="1234"`, "AT+NONSENSE", "ATI"}
	if exit := report(&out, run(t.Context(), args, &out, &out)); exit != exitCheck {
		t.Errorf("exit status %d:\n%s", exit, &out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(string(b), "\n") // the date
	want := "> ATI\n< Quectel\n< OK\n> AT+cimi\n< 44010123*******\n< OK\n> AT+CPIN=***\n< OK\n> AT+NONSENSE\n< ! AT+NONSENSE: ERROR\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if !strings.Contains(out.String(), "440101234567890") {
		t.Error("the terminal does not show the whole answer")
	}
}

// TestNoAnswer: who waited in vain is told so, with the usual causes.
func TestNoAnswer(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	file := filepath.Join(t.TempDir(), "modem.txt")
	var out bytes.Buffer
	args := []string{"at", "--port", slave.Name(), "--record", file, "--timeout", "10ms", "ATI"}
	if exit := report(&out, run(t.Context(), args, &out, &out)); exit != exitUnreachable {
		t.Errorf("exit status %d", exit)
	}
	for _, want := range []string{"error: no answer within 10ms: ATI", "hint: is this the modem's AT port", "--baud"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output does not say %q:\n%s", want, &out)
		}
	}
	if b, err := os.ReadFile(file); err != nil || !strings.HasSuffix(string(b), "\n> ATI\n< ! no answer\n") {
		t.Errorf("transcript %q, %v", b, err)
	}
}

// TestNoAgentToAsk: beside the running agent the cure is to ask it, and what is not the modem's comes into no transcript.
func TestNoAgentToAsk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "modem.txt")
	var out bytes.Buffer
	args := []string{"at", "--socket", file + ".sock", "--record", file, "ATI"}
	if exit := report(&out, run(t.Context(), args, &out, &out)); exit != exitUnreachable || !strings.Contains(out.String(), "hint: --socket FILE") {
		t.Errorf("exit status %d:\n%s", exit, &out)
	}
	if b, err := os.ReadFile(file); err != nil || strings.Contains(string(b), "<") {
		t.Errorf("transcript %q, %v", b, err)
	}
	for program, want := range map[string]string{"minato-agent": "--socket FILE", "minicom": "end that program"} {
		busy := &tty.Error{Path: "/dev/ttyUSB2", Err: tty.ErrBusy, Holder: &tty.Holder{PID: 7, Program: program}}
		out.Reset()
		if exit := report(&out, held(busy)); exit != exitUnreachable || !strings.Contains(out.String(), want) {
			t.Errorf("held by %s: exit status %d, want %q:\n%s", program, exit, want, &out)
		}
	}
}

func TestMask(t *testing.T) {
	for line, want := range map[string]string{
		`> AT+CGAUTH=1,2,"sora","secret"`: `> AT+CGAUTH=1,2,***`, "< +QCCID: 8981100005710720466F": "< +QCCID: 89811000***********F",
		"< +CSQ: 20,99": "< +CSQ: 20,99", "> AT+CPIN=1234;+CSQ": "> AT+CPIN=***;+CSQ",
	} {
		if got := mask(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
