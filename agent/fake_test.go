package agent

import (
	"bytes"
	"context"
	"errors"
	stdflag "flag"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"go.uber.org/goleak"

	"minato/agent/cmux"
	"minato/agent/netstack"
	"minato/agent/ppp"
)

// The parallel tests wait for modems and timers more than they work: more of them run at once than there are processors.
func TestMain(m *testing.M) {
	stdflag.Set("test.parallel", "4") // before the flags are parsed, which may say otherwise
	goleak.VerifyTestMain(m)
}

var (
	deviceAddr  = netip.MustParseAddr("10.128.0.7")
	gatewayAddr = netip.MustParseAddr("100.127.0.1")
	dnsAddr     = netip.MustParseAddr("100.127.0.53") // nothing listens there: a query is refused, which is an answer
)

// A fakeModem answers on a PTY from a table, and carries PPP after a dial, with a gateway host at the network's end.
type fakeModem struct {
	t       *testing.T
	master  *os.File
	path    string
	answers map[string]string           // over the default ones: "|" ends a line
	admit   func(ppp.Credentials) error // nil: everybody gets an address
	auth    ppp.AuthProtocol

	cmux     bool        // it has the multiplexer
	unready  bool        // the bearer never comes
	stubborn bool        // it stays in data mode when PPP has ended
	deaf     atomic.Bool // the network loses every packet

	mu      sync.Mutex
	sent    []string
	gateway *netstack.Stack
	hangUp  context.CancelFunc // ends the call from the network's side
	leave   context.CancelFunc // ends the multiplexer with nothing said
}

var defaultAnswers = map[string]string{
	"E0V1": "OK", "": "OK", "+CMEE=1": "OK", "&C1": "OK", "&D2": "OK", "H": "OK",
	"+CGMI": "Quectel|OK", "+CGMM": "EC25|OK", "+CGMR": "EC25EFAR06A11M4G|OK", "+CGSN": "867584034313614|OK",
	"+QCCID": "+QCCID: 8981100005710720466F|OK", "+CPIN?": "+CPIN: READY|OK", "+CIMI": "440101234567890|OK",
	"+CEREG=3": "OK", "+CGREG=3": "OK", "+CREG=3": "OK", "+CEREG?": `+CEREG: 3,1,"1F00","79D903",7|OK`,
	"+CGEREP=2,1": "OK", "+CGEREP=1": "OK", "+CGACT?": "+CGACT: 1,1|OK", "+COPS?": `+COPS: 0,0,"TestTel",7|OK`,
	"+CSQ": "+CSQ: 20,99|OK", "+CGATT?": "+CGATT: 1|OK", "+CGDCONT?": "OK", `+CGDCONT=1,"IP","soracom.io"`: "OK",
	`+CGAUTH=1,2,"sora","sora"`: "OK", `+QPINC="SC"`: `+QPINC: "SC",3,10|OK`, "+CEER": "+CEER: No cause information available|OK",
}

// openPTY makes a PTY whose master takes deadlines, with a symlink to the slave, which stays open until the test's end: the agent's
// closing of it is no hang-up of the line.
func openPTY(t testing.TB) (master *os.File, path string) {
	t.Helper()
	blocking, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	defer blocking.Close()
	fd, err := syscall.Dup(int(blocking.Fd())) // that package leaves its file blocking, on which deadlines do nothing
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { master.Close() })
	path = filepath.Join(t.TempDir(), "at")
	if err := os.Symlink(slave.Name(), path); err != nil {
		t.Fatal(err)
	}
	return master, path
}

func newFakeModem(t *testing.T, answers map[string]string) *fakeModem {
	t.Helper()
	return newFakeModemBehind(t, answers, func(p callPort) fakePort { return p })
}

// newFakeModemBehind has something between the modem and its PTY.
func newFakeModemBehind(t *testing.T, answers map[string]string, between func(callPort) fakePort) *fakeModem {
	t.Helper()
	master, path := openPTY(t)
	f := &fakeModem{t: t, master: master, path: path, answers: answers}
	port := between(callPort{master})
	done := make(chan struct{})
	go func() { defer close(done); f.serve(port) }()
	t.Cleanup(func() {
		f.drop()
		master.Close()
		<-done
	})
	return f
}

// serve is the modem in command mode. It ends with the port.
func (f *fakeModem) serve(port fakePort) {
	var line []byte
	b := make([]byte, 1)
	for {
		port.resume()
		if _, err := port.Read(b); err != nil {
			return
		}
		if b[0] != '\r' {
			line = append(line, b[0])
			continue
		}
		i := bytes.Index(line, []byte("AT"))
		if i < 0 {
			line = nil
			continue
		}
		cmd := string(line[i+2:])
		line = nil
		f.mu.Lock()
		f.sent = append(f.sent, cmd)
		f.mu.Unlock()
		switch {
		case f.answer(port, cmd):
			f.call(port)
		case f.cmux && strings.HasPrefix(cmd, "+CMUX=0,"):
			f.multiplex(port)
		}
	}
}

// A fakePort is a PTY's master or a channel. Closing it ends a call's reads, and not the PTY; resume lets it read on.
type fakePort interface {
	io.ReadWriteCloser
	resume()
}

type fakeChannel struct{ *cmux.Channel }

func (fakeChannel) resume() {}

// multiplex is the modem in multiplexer mode, until the host closes it down.
func (f *fakeModem) multiplex(port fakePort) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	mux := cmux.New(port, cmux.Config{Role: cmux.Responder, N1: 127})
	f.mu.Lock()
	f.leave = cancel
	f.mu.Unlock()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			ch, err := mux.Accept(ctx)
			if err != nil {
				return
			}
			serving.Go(func() { f.serve(fakeChannel{ch}) })
		}
	})
	mux.Run(ctx)
	f.drop()
	cancel()
	serving.Wait()
}

// answer answers one command, and tells whether a call begins.
func (f *fakeModem) answer(port fakePort, cmd string) bool {
	f.mu.Lock()
	answer, ok := f.answers[cmd]
	f.mu.Unlock()
	if !ok {
		answer, ok = defaultAnswers[cmd]
	}
	if !ok {
		answer = "ERROR"
		switch {
		case strings.HasPrefix(cmd, "D*99"):
			answer = "CONNECT 150000000"
		case f.cmux && strings.HasPrefix(cmd, "+CMUX=0,"):
			answer = "OK"
		}
	}
	if answer != "silence" {
		io.WriteString(port, "\r\n"+strings.ReplaceAll(answer, "|", "\r\n\r\n")+"\r\n")
	}
	return strings.HasPrefix(answer, "CONNECT")
}

// set changes an answer.
func (f *fakeModem) set(cmd, answer string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.answers == nil {
		f.answers = map[string]string{}
	}
	f.answers[cmd] = answer
}

// say announces something.
func (f *fakeModem) say(text string) { io.WriteString(f.master, "\r\n"+text+"\r\n") }

// count tells how often a command came.
func (f *fakeModem) count(cmd string) int {
	n := 0
	for _, c := range f.commands() {
		if c == cmd {
			n++
		}
	}
	return n
}

// call is the modem in data mode.
func (f *fakeModem) call(port fakePort) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	conn := ppp.New(port, ppp.Config{RestartInterval: 200 * time.Millisecond, Server: &ppp.Server{
		Auth: f.auth,
		Activate: func(ctx context.Context, c ppp.Credentials) (ppp.Lease, error) {
			if f.unready {
				<-ctx.Done()
				return ppp.Lease{}, ctx.Err()
			}
			if f.admit != nil {
				if err := f.admit(c); err != nil {
					return ppp.Lease{}, err
				}
			}
			return ppp.Lease{Addr: deviceAddr, DNS: []netip.Addr{dnsAddr}}, nil
		},
	}})
	gateway, err := netstack.New(netstack.Config{Addrs: []netip.Addr{gatewayAddr, dnsAddr}, Output: func(packets [][]byte) error {
		if f.deaf.Load() {
			return nil
		}
		return conn.WritePackets(packets)
	}})
	if err != nil {
		f.t.Error(err)
		return
	}
	conn.Attach(gateway.Gather, gateway.Flush)
	var running sync.WaitGroup
	running.Go(func() { gateway.Run(ctx) })
	f.mu.Lock()
	f.gateway, f.hangUp = gateway, cancel
	f.mu.Unlock()
	conn.Run(ctx)
	cancel()
	running.Wait()
	port.resume()
	if !f.stubborn {
		io.WriteString(port, "\r\nNO CARRIER\r\n")
		return
	}
	b, tail := make([]byte, 1), ""
	for tail != "+++" {
		if _, err := port.Read(b); err != nil {
			return
		}
		if tail += string(b); len(tail) > 3 {
			tail = tail[1:]
		}
	}
	io.WriteString(port, "\r\nOK\r\n")
}

// callPort is the PTY for the time of a call: closing it ends reads, and not the PTY.
type callPort struct{ *os.File }

func (p callPort) Close() error { return p.SetReadDeadline(time.Unix(1, 0)) }
func (p callPort) resume()      { p.SetReadDeadline(time.Time{}) }

// drop ends a call, if one is up.
func (f *fakeModem) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hangUp != nil {
		f.hangUp()
	}
}

// restart takes the modem out of the multiplexer, as a loss of power does.
func (f *fakeModem) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leave()
}

func (f *fakeModem) commands() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.sent...)
}

// network is the host at the call's other end.
func (f *fakeModem) network() *netstack.Stack {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gateway
}

// await waits until something holds.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	for !holds() {
		select {
		case <-time.After(2 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("it never holds")
		}
	}
}

// dial connects from the network to a port of the device.
func (f *fakeModem) dial(port uint16) (net.Conn, error) {
	f.mu.Lock()
	g := f.gateway
	f.mu.Unlock()
	return g.DialContext(f.t.Context(), "tcp", netip.AddrPortFrom(deviceAddr, port).String())
}

var errNotAdmitted = errors.New("not admitted")

// config serves one local port behind the modem at path.
func config(path, local string) Config {
	return Config{
		Modem:    ModemConfig{Port: path, Baud: 115200},
		Services: []ServiceConfig{{Name: "echo", Port: 7, Target: "tcp://" + local}},
		Backoff:  BackoffConfig{Min: 2 * time.Second, Max: 8 * time.Second},
	}
}

// echoServer echoes until the client half-closes.
func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { defer c.Close(); io.Copy(c, c) })
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return l.Addr().String()
}
