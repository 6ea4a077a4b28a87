package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"minato/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is what a program prints, read while it runs.
type output struct {
	mu   sync.Mutex
	b    bytes.Buffer
	more chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// await waits for something to be printed.
func (o *output) await(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(30 * time.Second)
	for {
		if m := re.FindString(o.String()); m != "" {
			return m
		}
		select {
		case <-o.more:
		case <-deadline:
			t.Fatalf("%q is not printed; there is %q", pattern, o.String())
		}
	}
}

// freePort is a port of a loopback address of this process' own, where no other test takes it meanwhile.
func freePort(t *testing.T) string {
	t.Helper()
	pid := os.Getpid()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.78:0", 1+pid>>8&0x7f, pid&0xff))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// once runs a call to its end.
func once(args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = execute(context.Background(), args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestRunAndTalkToIt(t *testing.T) {
	dir := t.TempDir()
	control, socks := freePort(t), freePort(t)
	pcap := filepath.Join(dir, "packets.pcapng")
	ctx, cancel := context.WithCancel(context.Background())
	out := &output{more: make(chan struct{}, 1)}
	ended := make(chan int, 1)
	script := filepath.Join(dir, "script.yaml")
	if err := os.WriteFile(script, []byte("- {modem: 1, fault: weak-signal, for: 1h}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	go func() {
		ended <- execute(ctx, []string{"run", "--script", script, "--listen", "tcp:127.0.0.1:0", "--modems", "2", "--dir", dir, "--control", control, "--socks", socks, "--pcap", pcap, "--log-level", "error"}, out, io.Discard)
	}()
	out.await(t, `(?m)^modem1 Quectel EC25 .* at=`+regexp.QuoteMeta(dir)+`/modem1/at ppp=.*/ppp socket=.*/at\.sock listen=tcp:127\.0\.0\.1:[0-9]+\n`)
	awaitScript(t, control)
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		want   string // on stdout, or of stderr when the status is not 0
	}{
		{"sims", []string{"sim", "list"}, 0, "8981100000000000010  440101234567891  modem1"},
		{"sims for programs", []string{"sim", "list", "--json"}, 0, `[{"simId":"8981100000000000002",`},
		{"modems", []string{"modem", "list"}, 0, "EC25"},
		{"modems for programs", []string{"modem", "list", "--json"}, 0, `"personality":"quectel-ec25"`},
		{"modem", []string{"modem", "show", "1"}, 0, "weak-signal loss=20 rsrp=-128 rsrq=-18 rssi=-111 sinr=-5 since "},
		{"modem for programs", []string{"modem", "show", "0", "--json"}, 0, `{"modem":0,`},
		{"no such modem", []string{"modem", "show", "2"}, 2, "0 to 1 are there"},
		{"circuits", []string{"modem", "show", "1"}, 0, "port ppp       command, DTR off, DCD off, RI off, 115200 bit/s\n"},
		{"DTR", []string{"modem", "lines", "1", "ppp", "--dtr"}, 0, ""},
		{"DTR is on", []string{"modem", "show", "1"}, 0, "port ppp       command, DTR on, DCD off"},
		{"no carrier to lose", []string{"modem", "lines", "1", "ppp", "--no-dcd"}, 1, "no carrier to lose"},
		{"no such port", []string{"modem", "lines", "1", "usb", "--ri"}, 2, "there is no such port"},
		{"signal", []string{"modem", "signal", "0", "--rssi=-93"}, 0, ""},
		{"signal is set", []string{"modem", "show", "0"}, 0, "+CSQ 10\n"},
		{"signal that is none", []string{"modem", "signal", "0", "--rssi=-2000"}, 2, "rssi -2000: -113 to -51 dBm are allowed"},
		{"no rate", []string{"sim", "shape", "440101234567890", "rate=0"}, 2, "a rate of 0 lets nothing pass"},
		{"reset", []string{"modem", "reset", "1"}, 0, ""},
		{"reset of none", []string{"modem", "reset", "5"}, 2, "0 to 1 are there"},
		{"inject", []string{"fault", "inject", "silent-link", "--modem", "1", "lcp=true"}, 0, ""},
		{"faults", []string{"fault", "list"}, 0, "silent-link [active on modem 1]"},
		{"faults for programs", []string{"fault", "list", "--json"}, 0, `"available":[{"name":"no-carrier"`},
		{"bad parameter", []string{"fault", "inject", "silent-link", "lcp=maybe"}, 2, "allowed is true or false"},
		{"no parameter", []string{"fault", "inject", "silent-link", "lcp"}, 2, "must have the form k=v"},
		{"not now", []string{"fault", "inject", "no-carrier"}, 1, "no data call"},
		{"inject into all", []string{"fault", "inject", "late-reply", "--modem", "all", "--for", "1h"}, 0, ""},
		{"documented", []string{"fault", "list"}, 0, "    delay=3s  duration: how late; 1ms to 10m0s, as 300ms or 1m30s\n"},
		{"happens once", []string{"fault", "list"}, 0, "reboot (happens once)\n"},
		{"bad modem", []string{"fault", "inject", "late-reply", "--modem", "both"}, 2, "must be a number from 0, or all"},
		{"bad time", []string{"fault", "inject", "reboot", "--for", "1s"}, 2, "it happens once"},
		{"clear one", []string{"fault", "clear", "late-reply", "--modem", "0"}, 0, ""},
		{"clear what is none", []string{"fault", "clear", "gremlins"}, 2, "not known"},
		{"others stay", []string{"modem", "show", "1"}, 0, "late-reply count=0 delay=3s"},
		{"bad events", []string{"events", "--type", "noise"}, 2, "allowed are boot, registration"},
		{"clear", []string{"fault", "clear"}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := once(append(tt.args, "--control", control)...)
			text := stdout
			if status != 0 {
				text = stderr
			}
			if status != tt.status || !strings.Contains(text, tt.want) {
				t.Errorf("status %d, %q%q; want %d, %q", status, stdout, stderr, tt.status, tt.want)
			}
		})
	}
	if status, _, stderr := once("sim", "list", "--control", "http://"+control+"/"); status != 0 {
		t.Errorf("by the control's URL: %d, %q", status, stderr)
	}
	t.Run("events", func(t *testing.T) { testEvents(t, control) })
	t.Run("second in the same place", func(t *testing.T) {
		status, _, stderr := once("run", "--control", control, "--socks", freePort(t), "--log-level", "error")
		if status != exitUnreachable || !strings.Contains(stderr, "hint: is another emulator running?") {
			t.Errorf("status %d, %q", status, stderr)
		}
	})
	cancel()
	if status := <-ended; status != 0 {
		t.Errorf("run ended with %d", status)
	}
	if head, err := os.ReadFile(pcap); err != nil || !bytes.HasPrefix(head, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
		t.Errorf("the capture begins %x, %v", head[:min(4, len(head))], err)
	}
	if status, _, stderr := once("sim", "list", "--control", control); status != exitUnreachable || !strings.Contains(stderr, "minato-emulator: hint: start one") {
		t.Errorf("with no emulator: %d, %q", status, stderr)
	}
	status, text, stderr := once("fault", "list", "--control", control) // for who writes a script
	if status != 0 || !strings.Contains(text, "    delay=3s  duration: how late; ") || stderr != "minato-emulator: no emulator runs at "+control+": these are the faults that there are, and none is active\n" {
		t.Errorf("faults with no emulator: %d, %q, %q", status, text, stderr)
	}
	if status, text, _ := once("fault", "list", "--json", "--control", control); status != 0 || !strings.HasPrefix(text, `{"available":[{"name":"no-carrier"`) || !strings.HasSuffix(text, `"active":[]}`+"\n") {
		t.Errorf("faults for programs with no emulator: %d, %q", status, text)
	}
}

// awaitScript waits until the script's only fault is there.
func awaitScript(t *testing.T, control string) {
	t.Helper()
	out := &output{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"events", "--all", "--type", "fault", "--control", control}, out, io.Discard)
	}()
	out.await(t, `modem1 fault injected fault="weak-signal"\n`)
	cancel()
	if status := <-ended; status != 0 {
		t.Errorf("events ended with %d", status)
	}
}

func testEvents(t *testing.T, control string) {
	out := &output{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"events", "--all", "--json", "--modem", "1", "--control", control}, out, io.Discard)
	}()
	out.await(t, `(?m)^{"id":[0-9]+,"time":"[^"]+","type":"registration","modem":1,"state":"1"}$`)
	if strings.Contains(out.String(), `"modem":0`) {
		t.Errorf("events of another modem: %s", out)
	}
	cancel()
	<-ended
}

func TestOpeningErrors(t *testing.T) {
	for _, tt := range []struct {
		err  error
		hint string
	}{
		{fmt.Errorf("modems: %w", emulator.ErrTooMany), "ulimit -n"},
		{&fs.PathError{Op: "open", Path: "/dev/ptmx", Err: syscall.ENOSPC}, "kernel.pty.max"},
		{&net.OpError{Op: "listen", Err: syscall.EADDRINUSE}, "another emulator"},
	} {
		var e *exitError
		if err := openingError(tt.err); !errors.As(err, &e) || e.status != exitUnreachable || !strings.Contains(e.hint, tt.hint) {
			t.Errorf("%v becomes %+v", tt.err, err)
		}
	}
	var denied *exitError
	if err := openingError(&net.OpError{Op: "listen", Err: syscall.EACCES}); !errors.As(err, &denied) || denied.status != exitDenied {
		t.Errorf("not allowed becomes %+v", err)
	}
	if err := openingError(nil); err != nil {
		t.Error(err)
	}
}

func TestUsage(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("modem: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(own, []byte("name: own\ndoc: One's own\nextends: quectel-ec25\nidentity: {model: {value: EC99, source: inferred}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		want   string
	}{
		{"help", []string{"--help"}, 0, "Examples:"},
		{"version", []string{"--version"}, 0, version() + "\n"},
		{"nothing", nil, 2, "minato-emulator: error:"},
		{"unknown", []string{"frobnicate"}, 2, "hint: see minato-emulator --help"},
		{"unknown flag", []string{"fault", "inject", "--nope"}, 2, "hint: see minato-emulator fault inject --help"},
		{"configuration", []string{"run", "-c", bad}, 2, `unknown field "modem"`},
		{"script", []string{"run", "--script", bad}, 2, "bad.yaml: parsing the script: [1:6]"},
		{"no script", []string{"run", "--script", bad + ".not"}, 2, "reading the script"},
		{"listen", []string{"run", "--listen", "emu0"}, 2, "must begin with abstract: or tcp:"},
		{"no modems", []string{"run", "--modems", "0"}, 2, "modems 0: must be at least 1"},
		{"control", []string{"run", "--control", "0.0.0.0:7070"}, 2, "must be on the loopback interface"},
		{"no configuration", []string{"run", "-c", bad + ".not"}, 2, "reading the configuration"},
		{"personality", []string{"run", "--personality", "x"}, 2, "quectel-ec25"},
		{"personalities", []string{"personalities"}, 0, "quectel-ec25"},
		{"personality of one's own", []string{"personalities", own}, 0, "One's own"},
		{"bad personality", []string{"personalities", bad}, 2, `bad.yaml: parsing a personality: [1:1] unknown field "modem"`},
		{"no personality", []string{"run", "--personality", own + ".yaml"}, 2, "reading a personality"},
		{"platform", []string{"run", "--platform", "1.2.3.4:5=6"}, 2, "want /tcp or /udp after the port"},
		{"no capture", []string{"run", "--pcap-ppp", bad + "/x"}, 3, "making a capture"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := once(tt.args...)
			if status != tt.status || !strings.Contains(stdout+stderr, tt.want) {
				t.Errorf("status %d, %q%q; want %d, %q", status, stdout, stderr, tt.status, tt.want)
			}
		})
	}
}

func TestPersonalitiesForPrograms(t *testing.T) {
	_, stdout, _ := once("personalities", "--json")
	var list []provenance
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || len(list) == 0 || list[0].Transcript == 0 {
		t.Errorf("%q, %v", stdout, err)
	}
}

// TestHangUp: the terminal's end is an end in order, except for a program that was told to ignore it.
func TestHangUp(t *testing.T) {
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP) // not ignored from now on, even where the test itself was started with nohup
	ctx, stop := untilEnded()
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	<-hangUps
	signal.Stop(hangUps)
	stop()

	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	_, stop = untilEnded()
	defer stop()
	if !signal.Ignored(syscall.SIGHUP) {
		t.Error("SIGHUP is heard, though it was ignored")
	}
}

// TestPortPaths names the one port of a single-port modem once.
func TestPortPaths(t *testing.T) {
	for _, tt := range []struct {
		m    emulator.ModemStatus
		want string
	}{
		{emulator.ModemStatus{AT: "m/at", PPP: "m/ppp", Socket: "m/at.sock"}, "m/at m/ppp m/at.sock"},
		{emulator.ModemStatus{AT: "m/at", PPP: "m/at", Socket: "m/at.sock", Listen: []string{"abstract:emu0"}}, "m/at m/at.sock abstract:emu0"},
	} {
		if got := portPaths(tt.m); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
