package sshd

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	gossh "golang.org/x/crypto/ssh"
)

func TestShellOnPipes(t *testing.T) {
	client := login(t, Config{Shell: "sh"})
	s := session(t, client)
	var out, errs bytes.Buffer
	s.Stdout, s.Stderr, s.Stdin = &out, &errs, strings.NewReader("from the client\n")
	err := s.Run(`cat; echo complaint >&2; exit 7`)
	if got := exitStatus(err); got != 7 || out.String() != "from the client\n" || errs.String() != "complaint\n" {
		t.Errorf("status %d, out %q, err %q", got, out.String(), errs.String())
	}
	if got := exitStatus(session(t, client).Run(`kill -9 $$`)); got != 128+9 {
		t.Errorf("status of a killed shell = %d, want 137", got)
	}
	s = session(t, client)
	s.Stdin = strings.NewReader("exit 5\n")
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	if got := exitStatus(s.Wait()); got != 5 {
		t.Errorf("status of lines = %d, want 5", got)
	}
}

// TestShellOnTerminal: a real terminal, that follows the window.
func TestShellOnTerminal(t *testing.T) {
	s := session(t, login(t, Config{Shell: "sh"}))
	if err := s.RequestPty("vt100", 24, 80, gossh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	in, _ := s.StdinPipe()
	out, _ := s.StdoutPipe()
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	say := func(command, want string) {
		t.Helper()
		io.WriteString(in, command+"\n")
		for lines.Scan() {
			line := strings.TrimRight(lines.Text(), "\r") // with a prompt, or an echo of the command
			if strings.HasSuffix(line, want) && !strings.Contains(line, command) {
				return
			}
		}
		t.Fatalf("%q does not print %q", command, want)
	}
	say("tty > /dev/null && echo $TERM", "vt100")
	say("stty size", "24 80")
	s.WindowChange(50, 132) // which is not in one order with what is typed
	say(`while [ "$(stty size)" = "24 80" ]; do :; done; stty size`, "50 132")
	io.WriteString(in, "exit 3\n")
	if got := exitStatus(s.Wait()); got != 3 {
		t.Errorf("status = %d, want 3", got)
	}
}

// TestShellEndsWithItsSession: what it started is told to hang up; the leak check and Serve's wait hold the rest.
func TestShellEndsWithItsSession(t *testing.T) {
	client := login(t, Config{Shell: "sh"})
	witness := session(t, client)
	out, _ := witness.StdoutPipe()
	if err := witness.Start("trap 'echo hung up; exit' HUP; echo started; while :; do sleep 1; done"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "started" {
		t.Fatalf("line %q", lines.Text())
	}
	witness.Close()
	for range 2 { // the connection lives on
		if got := exitStatus(session(t, client).Run("exit 4")); got != 4 {
			t.Fatalf("status = %d, want 4", got)
		}
	}
}

// TestTerminalEndsWithItsSession: what stays in the background with the terminal open holds up neither the session nor Serve, which login waits for.
func TestTerminalEndsWithItsSession(t *testing.T) {
	left := 0
	t.Cleanup(func() { // last of all
		if left > 0 {
			syscall.Kill(left, syscall.SIGKILL)
		}
	})
	s := session(t, login(t, Config{Shell: "sh"}))
	if err := s.RequestPty("vt100", 24, 80, gossh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	in, _ := s.StdinPipe()
	out, _ := s.StdoutPipe()
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, "(trap '' HUP; exec sleep 100000) & echo pid $!\n")
	pid := regexp.MustCompile(`pid (\d+)`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := pid.FindStringSubmatch(lines.Text()); m != nil {
			left, _ = strconv.Atoi(m[1])
			return
		}
	}
	t.Fatal("the shell says nothing")
}

// TestBackground: a command that leaves something in the background has ended well.
func TestBackground(t *testing.T) {
	s := session(t, login(t, Config{Shell: "sh"}))
	out, err := s.CombinedOutput("sleep 600 & echo $!")
	if n, _ := strconv.Atoi(strings.TrimSpace(string(out))); n > 0 {
		syscall.Kill(n, syscall.SIGKILL)
	}
	if err != nil {
		t.Errorf("%v; it printed %q", err, out)
	}
}

func TestNoSuchShell(t *testing.T) {
	if _, err := NewServer(Config{Shell: "/dev/null/none/sh"}); err == nil || !strings.Contains(err.Error(), "/dev/null/none/sh") {
		t.Errorf("err = %v, want the shell named", err)
	}
}
