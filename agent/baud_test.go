package agent

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"minato/agent/modem"
	"minato/emulator"
)

// A uartPort is the serial line of a fake modem: while the two ends have different speeds, each hears of the other what noise makes
// of it. The user's speed is the PTY's.
type uartPort struct {
	callPort
	noise func([]byte) []byte // nil: nothing is heard
	echo  bool                // the modem repeats what it hears, until E0
	auto  bool                // it takes its speed from the first line, which it loses

	mu    sync.Mutex
	rate  int    // of the modem; 0: any, or not found yet
	tried []int  // speeds at which the user spoke, one after the other
	heard string // the end of what was understood
}

func (p *uartPort) speed() int {
	t, err := unix.IoctlGetTermios(int(p.Fd()), unix.TCGETS2)
	if err != nil {
		return 0
	}
	return int(t.Ospeed)
}

func (p *uartPort) Read(b []byte) (int, error) {
	for {
		n, err := p.callPort.Read(b[:1])
		if err != nil {
			return n, err
		}
		got, answer := p.hear(b[:n])
		if len(answer) > 0 {
			p.Write(answer)
		}
		if len(got) > 0 {
			return copy(b, got), nil
		}
	}
}

// hear tells what the modem takes an octet for, and what it says to that.
func (p *uartPort) hear(b []byte) (got, answer []byte) {
	speed := p.speed()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tried) == 0 || p.tried[len(p.tried)-1] != speed {
		p.tried = append(p.tried, speed)
	}
	if p.auto && p.rate == 0 {
		if b[0] == '\r' {
			p.rate = speed
		}
		return nil, nil
	}
	if p.rate != 0 && p.rate != speed {
		if p.noise == nil {
			return nil, nil
		}
		got = p.noise(b)
	} else {
		got = slices.Clone(b)
		p.heard = (p.heard + string(b))[max(0, len(p.heard)+1-2):]
	}
	if p.echo {
		answer = got
	}
	if p.heard == "E0" {
		p.echo = false
	}
	return got, answer
}

func (p *uartPort) Write(b []byte) (int, error) {
	speed := p.speed()
	p.mu.Lock()
	said := b
	if p.rate != 0 && p.rate != speed {
		said = nil
		if p.noise != nil {
			said = p.noise(b)
		}
	}
	p.mu.Unlock()
	if _, err := p.callPort.Write(said); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (p *uartPort) speeds() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.tried)
}

// What a receiver at the wrong speed makes of octets.
var (
	framingErrors = func(b []byte) []byte { return make([]byte, len(b)) } // NUL for each
	highBits      = each(func(c byte) byte { return c | 0x80 })           // as with a parity bit
	lines         = func([]byte) []byte { return []byte("\r\nO\xcb\r\n+C\r") }
	noLines       = each(func(c byte) byte { return c&0x1f | 0x60 }) // without an end
)

func each(change func(byte) byte) func([]byte) []byte {
	return func(b []byte) []byte {
		out := slices.Clone(b)
		for i := range out {
			out[i] = change(out[i])
		}
		return out
	}
}

// order is that of the speeds that are tried: the one that most modems are shipped with comes again before each other.
func order(last int) []int {
	list := []int{115200}
	for _, baud := range []int{9600, 921600, 460800, 230400, 57600, 38400, 19200} {
		if list[len(list)-1] == last {
			break
		}
		if list = append(list, baud); baud != last {
			list = append(list, 115200)
		}
	}
	return list
}

var baudCases = []struct {
	name   string
	port   uartPort
	chatty bool // the modem announces things all the time
	tried  []int
	found  int // 0: none
}{
	{name: "shipped speed", port: uartPort{rate: 115200}, tried: order(115200), found: 115200},
	{name: "any speed", port: uartPort{}, tried: order(115200), found: 115200},
	{name: "9600, framing errors", port: uartPort{rate: 9600, noise: framingErrors}, tried: order(9600), found: 9600},
	{name: "921600, nothing is heard", port: uartPort{rate: 921600}, tried: order(921600), found: 921600},
	{name: "460800, as with parity", port: uartPort{rate: 460800, noise: highBits}, tried: order(460800), found: 460800},
	{name: "230400, noise that makes lines", port: uartPort{rate: 230400, noise: lines}, tried: order(230400), found: 230400},
	{name: "57600, noise without an end of line", port: uartPort{rate: 57600, noise: noLines}, tried: order(57600), found: 57600},
	{name: "38400, the noise is echoed", port: uartPort{rate: 38400, noise: highBits, echo: true}, tried: order(38400), found: 38400},
	{name: "19200, the last", port: uartPort{rate: 19200, noise: framingErrors}, tried: order(19200), found: 19200},
	{name: "echo", port: uartPort{rate: 9600, echo: true}, tried: order(9600), found: 9600},
	{name: "auto-baud loses the first line", port: uartPort{auto: true}, tried: order(115200), found: 115200},
	{name: "chatty", port: uartPort{rate: 9600, noise: lines}, chatty: true, tried: order(9600), found: 9600},
	{name: "chatty, as with parity", port: uartPort{rate: 460800, noise: highBits}, chatty: true, tried: order(460800), found: 460800},
	{name: "no common speed", port: uartPort{rate: 31250, noise: framingErrors}, tried: order(0)},
}

// TestBaudIsFound looks for modems on a serial line, at once since the time goes into waiting.
func TestBaudIsFound(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	for i := range baudCases {
		running.Go(func() { t.Run(baudCases[i].name, func(t *testing.T) { testBaud(t, i) }) })
	}
	running.Wait()
}

func testBaud(t *testing.T, i int) {
	tt := &baudCases[i]
	f := newFakeModemBehind(t, nil, func(p callPort) fakePort { tt.port.callPort = p; return &tt.port })
	if tt.chatty {
		defer chat(&tt.port)()
	}
	s, err := openSession(ModemConfig{Port: f.path, Baud: 115200, detectBaud: true}, 1, modem.NewPINGuard(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	if tt.found == 0 { // it never gives up by itself
		var watching sync.WaitGroup
		defer watching.Wait()
		watching.Go(func() {
			await(t, func() bool { return len(tt.port.speeds()) >= len(tt.tried) })
			cancel()
		})
	}
	id, err := s.identify(ctx, time.Second)
	if tt.found == 0 {
		if err == nil {
			t.Errorf("found %+v at %d", id, s.baud)
		}
	} else if err != nil || id.Profile != "quectel" || s.baud != tt.found {
		t.Errorf("found %+v at %d, %v; want a modem at %d", id, s.baud, err, tt.found)
	}
	// On a busy machine an answer may come too late, and the speed's turn once more.
	tried := tt.port.speeds()
	if d := cmp.Diff(tt.tried, tried[:min(len(tried), len(tt.tried))]); d != "" {
		t.Errorf("tried (-want +got):\n%s", d)
	}
}

// chat says something all the time, until the returned function is called.
func chat(p io.Writer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var talking sync.WaitGroup
	talking.Go(func() {
		for pauseUntil(ctx, 20*time.Millisecond) {
			io.WriteString(p, "\r\n+CEREG: 2\r\n")
		}
	})
	return func() { cancel(); talking.Wait() }
}

// A speed that is configured is the only one that is tried.
func TestConfiguredBaudStays(t *testing.T) {
	t.Parallel()
	p := &uartPort{rate: 9600, noise: framingErrors}
	f := newFakeModemBehind(t, nil, func(c callPort) fakePort { p.callPort = c; return p })
	s, err := openSession(ModemConfig{Port: f.path, Baud: 57600}, 1, modem.NewPINGuard(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if id, err := s.identify(ctx, 200*time.Millisecond); !isSilence(err) {
		t.Errorf("%+v, %v", id, err)
	}
	if d := cmp.Diff([]int{57600}, p.speeds()); d != "" {
		t.Errorf("tried (-want +got):\n%s", d)
	}
}

// TestBaudOfEmulatedModems is the same with modems whose noise is computed, bit by bit, and whose speed was fixed by AT+IPR.
func TestBaudOfEmulatedModems(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	for _, tt := range []struct {
		rate  string
		fault string // besides
		found string // as it is logged; "": it is the first
	}{
		{"9600", "", "baud=9600"},
		{"460800", "sms-flood", "baud=460800"},
		{"230400", "echo-on", "baud=230400"},
		{"115200", "lost-command", ""},
	} {
		running.Go(func() {
			t.Run(tt.rate+" "+tt.fault, func(t *testing.T) { testEmulatedBaud(t, tt.rate, tt.fault, tt.found) })
		})
	}
	running.Wait()
}

func testEmulatedBaud(t *testing.T, rate, fault, found string) {
	e, stop, err := emulator.Start(emulator.Config{Dir: t.TempDir(), Personality: "ublox-lara-r6"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	m := e.Modem(0)
	setRate(t, m.ATPath(), rate)
	if fault != "" {
		if err := m.Inject(fault, nil); err != nil {
			t.Fatal(err)
		}
	}
	cfg := config(m.ATPath(), echoServer(t))
	cfg.Modem.Baud = 0
	r := start(t, cfg)
	select {
	case <-r.Ready(): // by the multiplexer, which has the same speed
	case <-r.pauses:
		t.Fatalf("%+v", r.Status().Failure)
	}
	logged := ""
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, "speed was found") {
			logged = line
		}
	}
	if !strings.Contains(logged, found) || found == "" && logged != "" {
		t.Errorf("logged %q, want %q", logged, found)
	}
}

// setRate fixes the speed of a modem that is at 115200.
func setRate(t *testing.T, path, rate string) {
	s, err := openSession(ModemConfig{Port: path, Baud: 115200}, 1, modem.NewPINGuard(nil), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err = s.identify(ctx, 3*time.Second); err == nil {
		_, err = s.at.Command(ctx, "+IPR="+rate)
	}
	if err != nil {
		t.Fatal(err)
	}
}
