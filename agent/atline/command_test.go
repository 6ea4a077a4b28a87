package atline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/warthog618/modem/at"
)

// Replies as real modems framed them, and what each must come apart into, wherever the stream is cut in two.
func TestCommandAtEverySplit(t *testing.T) {
	tests := []struct {
		name, cmd, reply string
		info, urcs       []string
		err              error
	}{
		{name: "ok", cmd: "E0", reply: "\r\nOK\r\n"},
		{name: "numeric ok", cmd: "E0V1", reply: "0\r"},
		{name: "echo on", cmd: "I", reply: "ATI\r\r\nQuectel\r\nBG96\r\nRevision: BG96MAR02A07M1G\r\n\r\nOK\r\n",
			info: []string{"Quectel", "BG96", "Revision: BG96MAR02A07M1G"}},
		{name: "echo on, SIM7600", cmd: "+COPS?", reply: "AT+COPS?\r\r\n+COPS: 0,0,\"NL KPN simyo\",7\r\n\r\nOK\r\n",
			info: []string{`+COPS: 0,0,"NL KPN simyo",7`}},
		{name: "several lines", cmd: "+CGACT?", reply: "AT+cgact?\r\r\n+CGACT: 1,1\r\n+CGACT: 2,0\r\n+CGACT: 3,0\r\n\r\nOK\r\n",
			info: []string{"+CGACT: 1,1", "+CGACT: 2,0", "+CGACT: 3,0"}},
		{name: "URC inside a reply", cmd: "+CGACT?", reply: "\r\n+CGACT: 1,1\r\n\r\n+CEREG: 1,\"1F00\",\"79D903\",7\r\n+CGACT: 2,0\r\n\r\nOK\r\n",
			info: []string{"+CGACT: 1,1", "+CGACT: 2,0"}, urcs: []string{`+CEREG: 1,"1F00","79D903",7`}},
		{name: "URC between command and echo", cmd: "+CSQ", reply: "\r\n+CMTI: \"SM\",4\r\nAT+CSQ\r\r\n+CSQ: 28,99\r\n\r\nOK\r\n",
			info: []string{"+CSQ: 28,99"}, urcs: []string{`+CMTI: "SM",4`}},
		{name: "URC between reply and OK", cmd: "+CSQ", reply: "\r\n+CSQ: 28,99\r\n\r\nRING\r\n\r\nOK\r\n",
			info: []string{"+CSQ: 28,99"}, urcs: []string{"RING"}},
		{name: "glued URCs", cmd: "+CSQ", reply: "\r\n+CREG: 5\r\n\r\n+CGREG: 0\r\n\r\n+CSQ: 9,99\r\n\r\nOK\r\n",
			info: []string{"+CSQ: 9,99"}, urcs: []string{"+CREG: 5", "+CGREG: 0"}},
		{name: "read answered", cmd: "+CEREG?", reply: "\r\n+CEREG: 2,1, 1F00, 79D903 ,7\r\n\r\nOK\r\n",
			info: []string{"+CEREG: 2,1, 1F00, 79D903 ,7"}},
		{name: "read, announced first", cmd: "+CEREG?", reply: "\r\n+CEREG: 11,\"1F00\",\"79D903\",7\r\n\r\n+CEREG: 2,10, 2CA8, 20 ,B5583D ,7\r\n\r\nOK\r\n",
			info: []string{"+CEREG: 2,10, 2CA8, 20 ,B5583D ,7"}, urcs: []string{`+CEREG: 11,"1F00","79D903",7`}},
		{name: "read, announced behind", cmd: "+CEREG?", reply: "\r\n+CEREG: 2,2\r\n\r\n+CEREG: 2,1,1F00,79D903,7\r\n\r\nOK\r\n",
			info: []string{"+CEREG: 2,2"}, urcs: []string{"+CEREG: 2,1,1F00,79D903,7"}},
		{name: "set, announced", cmd: "+CEREG=2", reply: "\r\n+CEREG: 2,0001,00000100,7\r\n\r\nOK\r\n",
			urcs: []string{"+CEREG: 2,0001,00000100,7"}},
		{name: "test form", cmd: "+CEREG=?", reply: "\r\n+CEREG: (0-2)\r\n\r\nOK\r\n", info: []string{"+CEREG: (0-2)"}},
		{name: "a set that answers", cmd: `+CPINR="SIM PIN"`, reply: "\r\n+CPINR: SIM PIN,3,3\r\n\r\nOK\r\n", info: []string{"+CPINR: SIM PIN,3,3"}},
		{name: "boot noise", cmd: "", reply: "\xff\x00\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\nOK\r\n", urcs: []string{"RDY", "+CFUN: 1"}},
		{name: "message whose text is OK", cmd: "+CSQ", reply: "\r\n+CMT: \"+8190\",,\"26/11/22\"\r\nOK\r\n\r\n+CSQ: 1,99\r\n\r\nOK\r\n",
			info: []string{"+CSQ: 1,99"}, urcs: []string{"+CMT: \"+8190\",,\"26/11/22\"|OK"}},
		{name: "message without text", cmd: "+CSQ", reply: "\r\n+CMT: \"+8190\",,\"26/11/22\"\r\n\r\n\r\n+CSQ: 1,99\r\n\r\nOK\r\n",
			info: []string{"+CSQ: 1,99"}, urcs: []string{"+CMT: \"+8190\",,\"26/11/22\"|"}},
		{name: "own name in ATI", cmd: "I", reply: "Manufacturer: huawei\r\n+GCAP: +CGSM,+DS,+ES\r\n\r\n^RSSI:18\r\n\r\nOK\r\n",
			info: []string{"Manufacturer: huawei", "+GCAP: +CGSM,+DS,+ES"}, urcs: []string{"^RSSI:18"}},
		{name: "other name", cmd: "+CICCID", reply: "\r\n+ICCID: 8901260971129626899\r\n\r\nOK\r\n", info: []string{"+ICCID: 8901260971129626899"}},
		{name: "NO CARRIER is not a query's result", cmd: "+CSQ", reply: "\r\nNO CARRIER\r\n\r\n+CSQ: 1,99\r\n\r\nOK\r\n",
			info: []string{"+CSQ: 1,99"}, urcs: []string{"NO CARRIER"}},
		{name: "error", cmd: "+CPIN?", reply: "\r\nERROR\r\n", err: ErrError},
		{name: "CME number", cmd: "+CPIN?", reply: "\r\n+CME ERROR: 10\r\n", err: CMEError("10")},
		{name: "CME text", cmd: "+CPIN?", reply: "AT+CPIN?\r\r\n+CME ERROR: SIM not inserted\r\n", err: CMEError("SIM not inserted")},
		{name: "CMS", cmd: "+CMGL=4", reply: "\r\n+CMS ERROR: 310\r\n", err: CMSError("310")},
		{name: "not supported", cmd: "^SYSINFOEX", reply: "\r\nCOMMAND NOT SUPPORT\r\n", err: ErrError},
		{name: "not supported, shorter", cmd: "+QGMR", reply: "\r\nNOT SUPPORTED\r\n", err: ErrError},
		{name: "compound", cmd: "+CGMM;+CSQ", reply: "\r\nEC25\r\n\r\n+CSQ: 20,99\r\n\r\nOK\r\n", info: []string{"EC25", "+CSQ: 20,99"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for cut := range len(tt.reply) {
				b := newBus()
				cfg := quick()
				cfg.OnURC = b.put
				port := newScriptPort(always(tt.reply, cut))
				l := New(port, cfg)
				info, err := l.Command(t.Context(), tt.cmd)
				if !errors.Is(err, tt.err) {
					t.Fatalf("cut at %d: error %v, want %v", cut, err, tt.err)
				}
				if d := cmp.Diff(tt.info, info); d != "" {
					t.Fatalf("cut at %d: information (-want +got):\n%s", cut, d)
				}
				if d := cmp.Diff(tt.urcs, b.await(len(tt.urcs))); len(tt.urcs) > 0 && d != "" {
					t.Fatalf("cut at %d: URCs (-want +got):\n%s", cut, d)
				}
				if got, want := port.sent(), "AT"+tt.cmd+"\r"; got != want {
					t.Fatalf("sent %q, want %q", got, want)
				}
				l.Close()
			}
		})
	}
}

// The reply of a command that was given up comes between the AT of the resynchronisation and its OK, or with it, or never.
func TestLateReplyIsNotCredited(t *testing.T) {
	for _, late := range []string{"", "\r\n+COPS: 0,0,\"late\",7\r\n\r\nOK\r\n", "\r\nOK\r\n", "\r\n+CME ERROR: 30\r\n"} {
		t.Run(late, func(t *testing.T) {
			port := newScriptPort(func(w string) []string {
				switch w {
				case "AT+COPS?\r":
					return nil
				case abandon + "AT" + syncCommand + "\r":
					return []string{late, "\r\nOK\r\n"}
				case "AT+CSQ\r":
					return []string{"\r\n+CSQ: 7,99\r\n\r\nOK\r\n"}
				}
				return []string{"\r\nERROR\r\n"}
			})
			b := newBus()
			cfg := quick()
			cfg.OnURC = b.put
			l := New(port, cfg)
			defer l.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := l.Command(ctx, "+COPS?"); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("first command: %v", err)
			}
			for range 2 {
				info, err := l.Command(t.Context(), "+CSQ")
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff([]string{"+CSQ: 7,99"}, info); d != "" {
					t.Errorf("information (-want +got):\n%s", d)
				}
			}
			if got := b.await(0); len(got) != 0 {
				t.Errorf("URCs %q, want none", got)
			}
		})
	}
}

// A modem that answers the AT of the resynchronisation, and then nothing, is told from one that is silent.
func TestLate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first, give := context.WithCancel(t.Context())
	port := newScriptPort(func(w string) []string {
		switch w {
		case "AT+COPS?\r":
			give()
		case abandon + "AT" + syncCommand + "\r":
			return []string{"\r\nOK\r\n"}
		case "AT+CSQ\r":
			cancel()
		}
		return nil
	})
	l := New(port, quick())
	defer l.Close()
	if _, err := l.Command(first, "+COPS?"); !errors.Is(err, context.Canceled) || errors.Is(err, ErrLate) {
		t.Errorf("a silent modem: %v", err)
	}
	if _, err := l.Command(ctx, "+CSQ"); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrLate) {
		t.Errorf("a modem that answered once: %v", err)
	}
}

// A command that asks for text ends at once, and the modem is told to forget it before anything else is sent.
func TestPrompt(t *testing.T) {
	const ask = "AT+CMGS=\"1\"\r\r\n> "
	for cut := range len(ask) {
		asking := false
		port := newScriptPort(func(w string) []string {
			switch {
			case strings.HasPrefix(w, "AT+CMGS"):
				asking = true
				return []string{ask[:cut], ask[cut:]}
			case asking && w[0] != '\x1b':
				return []string{"\r\n> "} // its text has one line more
			case asking:
				asking = false
				return []string{"\r\nOK\r\n", "\r\nOK\r\n"}
			}
			return []string{"\r\n+CSQ: 7,99\r\n\r\nOK\r\n"}
		})
		l := New(port, quick())
		if _, err := l.Command(t.Context(), `+CMGS="1"`); !errors.Is(err, ErrPrompt) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		info, err := l.Command(t.Context(), "+CSQ")
		if err != nil || len(info) != 1 || info[0] != "+CSQ: 7,99" {
			t.Fatalf("cut at %d: %q, %v", cut, info, err)
		}
		if got, want := port.sent(), "AT+CMGS=\"1\"\r\x1bAT"+syncCommand+"\rAT+CSQ\r"; got != want {
			t.Fatalf("cut at %d: sent %q, want %q", cut, got, want)
		}
		l.Close()
	}
}

// A modem that was asked something and takes AT for the text of a message is met with ESC; one that an earlier process left so, too.
func TestWaitsForText(t *testing.T) {
	for _, left := range []bool{false, true} {
		ctx, giveUp := context.WithCancel(t.Context())
		asking := left
		port := newScriptPort(func(w string) []string {
			switch {
			case w == "AT+CMGS=20\r":
				asking = true // without a prompt
				giveUp()
				return nil
			case asking && w[0] != '\x1b':
				return []string{"\r\n> "}
			case asking:
				asking = false
				return []string{"\r\nOK\r\n", "\r\nOK\r\n"}
			}
			return []string{"\r\nOK\r\n"}
		})
		l := New(port, quick())
		if !left {
			if _, err := l.Command(ctx, "+CMGS=20"); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		} else if _, err := l.Command(t.Context(), "E0V1"); !errors.Is(err, ErrPrompt) {
			t.Fatal(err)
		}
		if _, err := l.Command(t.Context(), "+CSQ"); err != nil {
			t.Fatalf("left by another %v: %v", left, err)
		}
		if n := strings.Count(port.sent(), "\x1b"); n != 1 {
			t.Errorf("ESC %d times: %q", n, port.sent())
		}
		l.Close()
	}
}

// A modem whose replies lag one command behind (the SARA-G450's do) is caught up with before the next command goes out.
func TestLaggingModem(t *testing.T) {
	ctx, giveUp := context.WithCancel(t.Context())
	before := "" // what was asked last
	port := newScriptPort(func(w string) []string {
		defer func() { before = w }()
		switch before {
		case "":
			giveUp()
			return nil
		case "AT+COPS?\r":
			if w == abandon+"AT"+syncCommand+"\r" {
				before = ""
				return []string{"\r\n+COPS: 0\r\n\r\nOK\r\n", "\r\nOK\r\n"}
			}
		}
		return []string{"\r\n+CSQ: 1,99\r\n\r\nOK\r\n"}
	})
	l := New(port, quick())
	defer l.Close()
	l.Command(ctx, "+COPS?")
	info, err := l.Command(t.Context(), "+CSQ")
	if err != nil || len(info) != 1 || info[0] != "+CSQ: 1,99" {
		t.Fatalf("got %q, %v", info, err)
	}
}

func TestSilentModem(t *testing.T) {
	l := New(newScriptPort(nil), Config{Timeout: 20 * time.Millisecond, Sync: 5 * time.Millisecond, Settle: time.Millisecond})
	defer l.Close()
	if _, err := l.Command(t.Context(), ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := l.Command(ctx, "+CSQ"); !errors.Is(err, ErrNoReply) {
		t.Fatalf("got %v", err)
	}
}

// A port that takes no bytes holds nobody: the context ends the command, and the line recovers with the port.
func TestFullPort(t *testing.T) {
	port := newScriptPort(func(w string) []string { return []string{"\r\nOK\r\n"} })
	l := New(port, quick())
	defer l.Close()
	port.setFull(true)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := l.Command(ctx, "+CFUN=1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	port.setFull(false)
	if _, err := l.Command(t.Context(), "+CFUN=1"); err != nil {
		t.Fatal(err)
	}
}

func TestPortLoss(t *testing.T) {
	port := newScriptPort(func(w string) []string { return nil })
	l := New(port, quick())
	done := make(chan error)
	go func() {
		_, err := l.Command(t.Context(), "+CSQ")
		done <- err
	}()
	port.Close()
	if err := <-done; !errors.Is(err, io.EOF) {
		t.Errorf("command under way: %v, want EOF", err)
	}
	<-l.Done()
	if _, err := l.Command(t.Context(), "+CSQ"); !errors.Is(err, io.EOF) {
		t.Errorf("later command: %v, want EOF", err)
	}
	if err := l.Escape(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("escape: %v, want EOF", err)
	}
	l.Close()
}

// 64 KiB without a line's end, and as much binary noise, cost nothing but themselves.
func TestGarbage(t *testing.T) {
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(i * 7919 >> 3)
	}
	port := newScriptPort(func(w string) []string {
		return []string{strings.Repeat("U", 64<<10), string(noise), "\r\n+CSQ: 3,99\r\n\r\nOK\r\n"}
	})
	l := New(port, quick())
	defer l.Close()
	info, err := l.Command(t.Context(), "+CSQ")
	if err != nil || len(info) == 0 || info[len(info)-1] != "+CSQ: 3,99" {
		t.Fatalf("got %d lines, %v", len(info), err)
	}
	if c := cap(l.split.buf); c > 2*maxLine {
		t.Errorf("the line buffer grew to %d bytes", c)
	}
}

func TestControlCharactersAreRefused(t *testing.T) {
	port := newScriptPort(nil)
	l := New(port, quick())
	defer l.Close()
	if _, err := l.Command(t.Context(), "+CGDCONT=1,\"IP\",\"a\rATH\""); err == nil {
		t.Error("a command with a CR in it was sent")
	}
	if got := port.sent(); got != "" {
		t.Errorf("sent %q", got)
	}
}

func TestConcurrentCommands(t *testing.T) {
	port := newScriptPort(func(w string) []string {
		n := strings.TrimSuffix(strings.TrimPrefix(w, "AT+X="), "\r")
		return []string{"\r\n+X: " + n + "\r\n\r\nOK\r\n"}
	})
	l := New(port, quick())
	defer l.Close()
	errs := make(chan error)
	for i := range 20 {
		go func() {
			info, err := l.Command(t.Context(), fmt.Sprintf("+X=%d", i))
			if err == nil && (len(info) != 1 || info[0] != fmt.Sprintf("+X: %d", i)) {
				err = fmt.Errorf("command %d got %q", i, info)
			}
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestDialRefused(t *testing.T) {
	tests := []struct {
		cmd, reply string
		want       error
	}{
		{"D*99***1#", "\r\nNO CARRIER\r\n", at.ConnectError("NO CARRIER")},
		{"D*99***1#", "\r\nBUSY\r\n", at.ConnectError("BUSY")},
		{"D*99***1#", "\r\nNO DIAL TONE\r\n", at.ConnectError("NO DIAL TONE")},
		{"D*99***1#", "\r\n+CME ERROR: 148\r\n", CMEError("148")},
		{`+CGDATA="PPP",1`, "\r\nNO CARRIER\r\n", at.ConnectError("NO CARRIER")},
		{`+CGDATA="PPP",1`, "\r\nERROR\r\n", ErrError},
		{"O", "ATO\r\r\nNO CARRIER\r\n", at.ConnectError("NO CARRIER")},
	}
	for _, tt := range tests {
		l := New(newScriptPort(always(tt.reply, 0)), quick())
		if _, _, err := l.Connect(t.Context(), tt.cmd); !errors.Is(err, tt.want) {
			t.Errorf("%s answered %q: %v, want %v", tt.cmd, tt.reply, err, tt.want)
		}
		if l.Online() {
			t.Errorf("%s answered %q: online", tt.cmd, tt.reply)
		}
		l.Close()
	}
}
