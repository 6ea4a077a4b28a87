package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// allOff are flags that keep a run from listening where others might.
var allOff = []string{"run", "--http=off", "--modbus=off", "--vnc=off", "--ssh=off"}

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan int, 1)
	var errs bytes.Buffer
	go func() { // ends with ctx
		done <- execute(ctx, []string{"run", "--http=127.0.0.1:0", "--https=127.0.0.1:0", "--modbus=127.0.0.1:0", "--vnc=127.0.0.1:0", "--ssh=127.0.0.1:0",
			"--vnc-password-file", write(t, "sesame\n")}, streams{in, &errs})
		in.Close()
	}()
	lines := bufio.NewScanner(out)
	for _, want := range []string{"http", "https", "modbus", "vnc", "ssh"} {
		if !lines.Scan() {
			t.Fatalf("no line for %s; stderr %s", want, errs.String())
		}
		fields := strings.Fields(lines.Text())
		if len(fields) != 2 || fields[0] != want {
			t.Fatalf("line %q, want %s and its address", lines.Text(), want)
		}
		c, err := net.Dial("tcp", fields[1])
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	cancel()
	if status := <-done; status != 0 {
		t.Errorf("status = %d; stderr %s", status, errs.String())
	}
}

func TestRefusals(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	tests := []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"no command", nil, exitUsage, "hint: see minato-targets --help"},
		{"bad flag", []string{"run", "--telnet=x"}, exitUsage, "--telnet"},
		{"bad level", []string{"run", "--log-level=loud"}, exitUsage, "loud"},
		{"all off", allOff, exitUsage, "every service is off"},
		{"no address", append(allOff[:1:1], "--http=nowhere"), exitUsage, "--http takes HOST:PORT or off"},
		{"busy", append(allOff[:1:1], "--http="+busy.Addr().String()), exitUnreached, "give another address with --http"},
		{"no password file", append(allOff[:4:4], "--ssh=127.0.0.1:0", "--vnc-password-file=/dev/null/none"), exitUsage, "reading the VNC password"},
		{"empty password", append(allOff[:4:4], "--ssh=127.0.0.1:0", "--vnc-password-file="+write(t, "\n")), exitUsage, "is empty"},
		{"long password", append(allOff[:4:4], "--ssh=127.0.0.1:0", "--vnc-password-file="+write(t, "123456789")), exitUsage, "at most 8"},
		{"bad passwords", append(allOff[:4:4], "--ssh=127.0.0.1:0", "--ssh-passwords="+write(t, "a:b\nc\n")), exitUsage, "line 2"},
		{"no shell", append(allOff[:4:4], "--ssh=127.0.0.1:0", "--ssh-shell=/dev/null/none"), exitUsage, "looking for the SSH shell"},
		{"bad keys", append(allOff[:4:4], "--ssh=127.0.0.1:0", "--ssh-authorized-keys="+write(t, "x y")), exitUsage, "line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := execute(context.Background(), tt.args, streams{&out, &errs}); got != tt.status || !strings.Contains(errs.String(), tt.want) {
				t.Errorf("status %d, stderr %q; want %d and %q", got, errs.String(), tt.status, tt.want)
			}
			if out.Len() > 0 {
				t.Errorf("stdout %q", out.String())
			}
		})
	}
}

func TestHelpAndRegisters(t *testing.T) {
	for _, tt := range []struct{ args, want string }{{"--help", "Examples:"}, {"--version", version() + "\n"}, {"run --help", "--vnc-password-file"}, {"registers", "holding register"}} {
		var out, errs bytes.Buffer
		if status := execute(context.Background(), strings.Fields(tt.args), streams{&out, &errs}); status != 0 || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: status %d, stdout %q, stderr %q", tt.args, status, out.String(), errs.String())
		}
	}
}
