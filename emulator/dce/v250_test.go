package dce

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minato/emulator/pty"
)

func TestLineManners(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	for _, tt := range [][2]string{
		{"ATI0", "\r\nQuectel\r\nEC25\r\nRevision: EC25EFAR06A11M4G\r\n\r\nOK\r\n"},
		{"ATI9", "\r\nERROR\r\n"},
		{"ATX3", "\r\nOK\r\n"}, {"ATX5", "\r\nERROR\r\n"},
		{"ATS0=3;S0?", "\r\n003\r\n\r\nOK\r\n"}, {"ATS10=0", "\r\nERROR\r\n"}, {"ATS12=20;S12?", "\r\n020\r\n\r\nOK\r\n"},
		{"AT&W", "\r\nOK\r\n"}, {"ATS0=5;Z;S0?", "\r\n003\r\n\r\nOK\r\n"}, {"ATS12?", "\r\n020\r\n\r\nOK\r\n"}, {"AT&F;E0;S0?;S12?", "\r\n000\r\n\r\n050\r\n\r\nOK\r\n"},
		{"ATZ1", "\r\nERROR\r\n"}, {"AT&W1", "\r\nERROR\r\n"},
		{"ATA", "\r\nNO CARRIER\r\n"}, {"ATP;T;L1;M0;&S0;&K3", "\r\nOK\r\n"},
		{"AT+GCAP", "\r\n+GCAP: +CGSM\r\n\r\nOK\r\n"},
		{"AT+CGSN=1", "\r\n+CGSN: \"867584031234565\"\r\n\r\nOK\r\n"}, {"AT+CGSN=2", "\r\n+CGSN: \"8675840312345601\"\r\n\r\nOK\r\n"}, {"AT+CGSN=3", "\r\n+CGSN: \"01\"\r\n\r\nOK\r\n"}, {"AT+CGSN=0", "\r\n867584031234565\r\n\r\nOK\r\n"},
		{"AT+CGSN=4", "\r\n+CME ERROR: 50\r\n"}, {"AT+CGSN=?", "\r\n+CGSN: (0-3)\r\n\r\nOK\r\n"},
		{"AT+IPR=?", "\r\n+IPR: (9600,19200,38400,57600,115200,230400,460800,921600),(0,9600,19200,38400,57600,115200,230400,460800,921600)\r\n\r\nOK\r\n"},
		{"AT+IPR=12345", "\r\nERROR\r\n"}, {"AT+IPR=9600;+IPR?", "\r\n+IPR: 115200\r\n\r\nOK\r\n"}, {"AT+IPR?", "\r\n+IPR: 9600\r\n\r\nOK\r\n"},
		{"AT+QCFG=\"nwscanmode\"", "\r\n+QCFG: \"nwscanmode\",0\r\n\r\nOK\r\n"}, {"AT+QCFG=\"nwscanmode\",3;+QCFG=\"NWSCANMODE\"", "\r\n+QCFG: \"nwscanmode\",3\r\n\r\nOK\r\n"},
		{"AT+QCFG=\"nwscanmode\",9", "\r\n+CME ERROR: 50\r\n"}, {"AT+QCFG=\"none\"", "\r\nERROR\r\n"}, {"AT+FCLASS", "\r\nOK\r\n"},
		{"AT+QURCCFG=\"urcport\",\"usbmodem\"", "\r\nOK\r\n"}, {"AT+QURCCFG=\"urcport\"", "\r\n+QURCCFG: \"urcport\",\"usbmodem\"\r\n\r\nOK\r\n"}, {"AT+QURCCFG=\"urcport\",\"all\"", "\r\nOK\r\n"},
		{"AT+CSQ=1,2,3", "\r\nERROR\r\n"}, {"AT+CGDCONT=1,\"IP", "\r\nERROR\r\n"},
	} {
		u.expect(tt[0], tt[1])
	}
	u.send("AT&V\r")
	if got := u.await("OK\r\n"); !strings.Contains(got, "S10: 15") {
		t.Errorf("AT&V gave %q", got)
	}
	u.expect("ATV0;D0312345678;", "3\r")
	u.expect("AT+CMEE=1", "0\r")
	u.expect("AT+CPIN=1", "+CME ERROR: 50\r")
	b.tell("all see it", true)
	u.await("all see it")
}

// TestTwoProfiles is a modem with &W1 and Z1, whose unknown commands have a cause.
func TestTwoProfiles(t *testing.T) {
	p, err := LoadPersonality("ublox-lara-r6")
	if err != nil {
		t.Fatal(err)
	}
	u := newBench(t, func(c *Config) { c.Personality = p }).ready("at")
	u.expect("AT+CMEE=2;&W1", "\r\nOK\r\n")
	u.expect("AT+IPR=123", "\r\n+CME ERROR: Incorrect parameters\r\n")
	u.expect("AT+CMEE=1;&W0;+NOPE", "\r\n+CME ERROR: 4\r\n")
	u.expect("ATZ1;+NOPE", "\r\n+CME ERROR: operation not supported\r\n")
	u.expect("ATZ;+CFUN=16", "\r\nOK\r\n")
}

// TestAbort is V.250 section 5.6.1: a character ends a long command; the LF behind its CR does not.
func TestAbort(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Delay = 1 })
	b.mu.Lock()
	b.booting, b.restart, b.reg.stat = false, false, RegisteredHome
	b.mu.Unlock()
	u := b.user("at")
	u.send("ATE0\r\n")
	u.await("OK\r\n")
	u.send("AT+COPS=?\r\n")
	answered := make(chan struct{})
	var typing sync.WaitGroup
	typing.Go(func() {
		for { // a modem that was late to begin the scan takes the first for line noise; a lone one after the end does nothing
			select {
			case <-answered:
				return
			case <-time.After(2 * abortGrace): // which is real time
				u.conn.Write([]byte("x"))
			}
		}
	})
	got := u.await("OK\r\n")
	close(answered)
	typing.Wait()
	if got != "\r\nOK\r\n" {
		t.Errorf("an aborted scan gave %q", got)
	}
	u.expect("AT", "\r\nOK\r\n")
}

func TestResample(t *testing.T) {
	text := []byte("AT+CSQ\r")
	if got := resample(text, 115200, 115200); string(got) != string(text) {
		t.Errorf("at the same speed %q", got)
	}
	for _, tt := range []struct{ from, to int }{{9600, 115200}, {115200, 9600}, {57600, 115200}, {115200, 460800}, {300, 921600}, {921600, 300}} {
		got := resample(text, tt.from, tt.to)
		if strings.Contains(string(got), "AT") || len(got) > 5*len(text) {
			t.Errorf("from %d to %d: %q", tt.from, tt.to, got)
		}
	}
	if got := resample(nil, 1, 2); got != nil {
		t.Errorf("nothing became %q", got)
	}
}

func FuzzResample(f *testing.F) {
	f.Add([]byte("AT\r"), 9600, 115200)
	f.Fuzz(func(t *testing.T, b []byte, from, to int) {
		if from < 300 || to < 300 || from > 4000000 || to > 4000000 || len(b) > 4096 {
			return
		}
		if got := resample(b, from, to); len(got) > 5*len(b) {
			t.Errorf("%d bytes became %d", len(b), len(got))
		}
	})
}

// watchedPort counts what the modem has read, and of that what it has made something of: it is back for more.
type watchedPort struct {
	*pty.Port
	read, done atomic.Int64
}

func (p *watchedPort) Read(b []byte) (int, error) {
	p.done.Store(p.read.Load())
	n, err := p.Port.Read(b)
	p.read.Add(int64(n))
	return n, err
}

// TestLineSpeed is a UART: at another speed user and modem do not understand each other, until they do.
func TestLineSpeed(t *testing.T) {
	b := newBench(t, func(c *Config) { c.UART = true })
	open, err := pty.Open(filepath.Join(t.TempDir(), "at"))
	if err != nil {
		t.Fatal(err)
	}
	port := &watchedPort{Port: open}
	t.Cleanup(func() { port.Close() })
	b.on()
	b.serves.Go(func() { b.Serve(b.ctx, port, "at") })
	tty, err := os.OpenFile(open.Name(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	u := &user{t: t, conn: ttyConn{File: tty}, more: make(chan struct{}, 1)}
	b.serves.Go(u.read)
	t.Cleanup(func() { tty.Close() })
	u.awaitBoot(b)
	u.send("ATE0\r")
	u.await("OK\r\n")
	u.expect("AT+IPR=9600", "\r\nOK\r\n")
	b.portIs("at", func(s PortStatus) bool { return s.Rate == 9600 }) // after its OK

	const command = "AT+CSQ\rAT+CSQ\r"
	heard := port.read.Load()
	u.send(command) // at 115200 still
	b.statusIs(func(Status) bool { return port.done.Load() >= heard+int64(len(command)) })
	b.unsolicited("+CTEST: hello")
	setSpeed(t, tty, 9600)
	u.send("\rAT\r") // the CR ends what the modem may have taken for a command
	if got := u.await("\r\nOK\r\n"); strings.Contains(got, "+CSQ") || strings.Contains(got, "hello") {
		t.Errorf("115200 was understood at 9600: %q", got)
	}
	u.expect("AT+CSQ", "\r\n+CSQ: 30,99\r\n\r\nOK\r\n")
	u.expect("AT+IPR=0", "\r\nOK\r\n")
	b.portIs("at", func(s PortStatus) bool { return s.Rate == 0 })
	setSpeed(t, tty, 38400)
	u.expect("AT", "\r\nOK\r\n")
}

// TestUARTOfOnesOwn is a personality that says no more than that its relative's lines are UARTs.
func TestUARTOfOnesOwn(t *testing.T) {
	p, err := ParsePersonality([]byte("name: hat\ndoc: A BG96 on a board's UART\nextends: quectel-bg96\nports: {uart: {value: true, source: inferred}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *Config) { c.Personality = p })
	b.ready("ppp")
	u, tty := b.terminal("at")
	u.expect("AT+IPR=9600", "\r\nOK\r\n")
	b.portIs("at", func(s PortStatus) bool { return s.Rate == 9600 }) // after its OK
	b.unsolicited("+CTEST: hello")                                    // to a user at 115200 still
	setSpeed(t, tty, 9600)
	u.send("\rAT\r")
	if got := u.await("\r\nOK\r\n"); strings.Contains(got, "hello") {
		t.Errorf("9600 was understood at 115200: %q", got)
	}
}
