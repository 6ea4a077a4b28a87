package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"minato/relay/relayapi"
)

// refusedClient is one row of what a client meets that fails for a numbered cause. Its connection is a kernel's, over loopback.
type refusedClient struct {
	code   string
	tls    bool   // the TLS option
	config Config // of the relay; Network is what the device does, nil: echo
	device func(*net.TCPConn)
	before func(r *testRelay, m *relayapi.PortMapping) // what happened to the mapping first
	ranges []string

	sends  string        // by a bare socket
	sees   string        // bytes that it gets before the end; most see none
	within time.Duration // when the end must be there; 0: at once
	typ    string        // of the audit entry

	program []string // a real client where Debian has one; PORT and HOST stand for the mapping's
	exit    int      // its exit status; -1: any but 0
	says    string   // in what it prints
}

// atOnce is what "at once" may take on a machine that does much else.
const atOnce = 10 * time.Second

const (
	plainHTTP  = "GET / HTTP/1.1\r\nHost: device\r\n\r\n"
	badRequest = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)

func dialError(err error) Network {
	return networkFunc(func(context.Context, string, uint16) (net.Conn, error) { return nil, err })
}

// answers is a device that reads a little, says one thing and hangs up.
func answers(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		c.Read(make([]byte, 4096))
		io.WriteString(c, text)
		c.CloseWrite()
		io.Copy(io.Discard, c)
	}
}

// hello is the first flight of a TLS client.
func hello(config *tls.Config) string {
	var b recorder
	config.ServerName = "127-0-0-1"
	tls.Client(&b, config).Handshake() // fails at the answer
	return string(b.wrote)
}

type recorder struct {
	net.Conn
	wrote []byte
}

func (r *recorder) Write(p []byte) (int, error)      { r.wrote = append(r.wrote, p...); return len(p), nil }
func (r *recorder) Read([]byte) (int, error)         { return 0, io.EOF }
func (r *recorder) SetDeadline(time.Time) error      { return nil }
func (r *recorder) SetReadDeadline(time.Time) error  { return nil }
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }
func (r *recorder) Close() error                     { return nil }

// alertProtocolVersion is a record with the fatal alert by which a server says that it has no version in common (RFC 5246 section 7.2).
const alertProtocolVersion = "\x15\x03\x01\x00\x02\x02\x46"

var (
	curlHTTP  = []string{"curl", "-sS", "-m", "25", "http://127.0.0.1:PORT/"}
	curlHTTPS = []string{"curl", "-sS", "-m", "25", "-k", "https://127.0.0.1:PORT/"}
)

// causeTable says what each cause looks like: to a bare socket, to a real program, and in the audit log.
var causeTable = []refusedClient{
	{code: "R01", tls: true, sends: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", typ: "DENIED",
		program: []string{"ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-p", "PORT", "field@127.0.0.1"},
		exit:    255, says: "onnection closed"},
	{code: "R02", tls: true, sends: "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x0b\x00\x00\x00", typ: "DENIED",
		program: []string{"xvfb-run", "-a", "xfreerdp", "/v:127.0.0.1:PORT", "/cert:ignore", "+auth-only", "/u:x", "/p:y"},
		exit:    -1, says: "CONNECT_TRANSPORT_FAILED"},
	{code: "R03", tls: true, sends: plainHTTP, typ: "DENIED", program: curlHTTP, exit: 52, says: "Empty reply"},
	{code: "R04", tls: true, sends: "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a", typ: "DENIED",
		program: []string{"mbpoll", "-m", "tcp", "-p", "PORT", "-a", "1", "-r", "1", "-c", "2", "-1", "127.0.0.1"}, exit: -1, says: "failed"},
	{code: "R05", tls: true, sends: "\x10\x16\x00\x04MQTT\x04\x02\x00\x3c\x00\x0asubscriber", typ: "DENIED"},
	{code: "R06", tls: true, config: Config{SilenceTimeout: 300 * time.Millisecond}, device: speaks("220 FTP ready\r\n"), within: 300 * time.Millisecond, typ: "DENIED",
		program: []string{"curl", "-sS", "-m", "25", "ftp://127.0.0.1:PORT/"}, exit: -1},
	{code: "R07", sends: hello(&tls.Config{}), device: answers(badRequest), sees: badRequest, typ: "CLOSED",
		program: curlHTTPS, exit: 35},
	{code: "R08", tls: true, device: answers(alertProtocolVersion), sees: alertProtocolVersion, sends: plainHTTP, typ: "CLOSED",
		program: curlHTTPS, exit: -1},
	{code: "R09", config: Config{Network: dialError(ErrRefused)}, sends: plainHTTP, typ: "CLOSED", program: curlHTTP, exit: 52},
	{code: "R10", config: Config{Network: dialError(ErrTimeout)}, sends: plainHTTP, typ: "CLOSED", program: curlHTTP, exit: 52},
	{code: "R11", config: Config{Network: dialError(ErrOffline)}, sends: plainHTTP, typ: "CLOSED", program: curlHTTP, exit: 52},
	{code: "R12", ranges: []string{"203.0.113.0/24"}, sends: plainHTTP, typ: "DENIED", program: curlHTTP, exit: 52},
	{code: "R13", config: Config{RememberEnded: 1}, sends: plainHTTP, typ: "DENIED", program: curlHTTP, exit: 52,
		before: func(r *testRelay, m *relayapi.PortMapping) { r.cfg.Clock.(*fakeClock).Advance(time.Hour) }},
	{code: "R14", tls: true, typ: "DENIED", program: []string{"curl", "-sS", "-m", "25", "https://127.0.0.1:PORT/"}, exit: 60},
	{code: "R15", tls: true, sends: hello(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), sees: alertProtocolVersion, typ: "DENIED",
		program: []string{"curl", "-sS", "-m", "25", "-k", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", "https://127.0.0.1:PORT/"}, exit: 35},
	{code: "R16", config: Config{MaxConnections: 1}, sends: plainHTTP, typ: "REFUSED", program: curlHTTP, exit: 52,
		before: func(r *testRelay, m *relayapi.PortMapping) { r.opened(m) }},
	{code: "R17", device: func(c *net.TCPConn) { c.Read(make([]byte, 4096)) }, sends: plainHTTP, typ: "CLOSED", program: curlHTTP, exit: 52},
	{code: "R37", config: Config{Network: SOCKSNetwork{Addr: "127.0.0.1:1"}}, sends: plainHTTP, typ: "CLOSED", program: curlHTTP, exit: 52}, // nothing listens there
	// R18 is TestStalled: its client has to send more than the path takes. R38 is TestClientCertificates.
}

// TestCauseTable: what the client sees on its socket, the audit entry, and the advice in both languages, by cause.
func TestCauseTable(t *testing.T) {
	covered := map[string]bool{"R18": true, "R38": true}
	for _, row := range causeTable {
		covered[row.code] = true
		t.Run(row.code+" "+Cause(row.code).String(), func(t *testing.T) {
			t.Parallel()
			cfg := row.config
			cfg.Clock = newFakeClock()
			if row.device != nil {
				cfg.Network = device(t, row.device)
			}
			r := startRelay(t, cfg)
			t.Run("socket", func(t *testing.T) { row.socket(t, r) })
			if len(row.program) > 0 {
				t.Run(row.program[0], func(t *testing.T) { row.run(t, r) })
			}
		})
	}
	for cause := range causeTexts {
		if strings.HasPrefix(string(cause), "R") && !covered[string(cause)] {
			t.Errorf("%s is not in the table", cause)
		}
	}
}

// mappingFor makes the row's mapping, and lets happen to it what has to.
func (row refusedClient) mappingFor(t *testing.T, r *testRelay) *relayapi.PortMapping {
	t.Helper()
	hour := 3600
	req := relayapi.CreatePortMappingRequest{Destination: relayapi.Destination{SIMID: simA, Port: 80}, Duration: &hour, TLSRequired: row.tls}
	if row.ranges != nil {
		req.Source = &relayapi.Source{IPRanges: row.ranges}
	}
	m, err := r.CreatePortMapping(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if row.before != nil {
		row.before(r, m)
	}
	return m
}

// socket is the row's bare client: it sends, and must see an orderly end in time, after the bytes that it may see.
func (row refusedClient) socket(t *testing.T, r *testRelay) {
	m := row.mappingFor(t, r)
	began := time.Now() // before the relay can have accepted
	tcp := r.dial(m)
	var conn net.Conn = tcp
	tcp.SetDeadline(began.Add(row.within + atOnce))
	switch row.code {
	case "R08": // gets as far as the device
		conn = tls.Client(tcp, &tls.Config{RootCAs: r.roots(), ServerName: m.Hostname})
	case "R14": // rejects the certificate
		if err := tls.Client(tcp, &tls.Config{ServerName: m.Hostname}).Handshake(); err == nil {
			t.Error("a certificate that nobody trusts was good")
		}
		tcp.CloseWrite()
		row.expect(t, r, m, tcp)
		return
	}
	if _, err := io.WriteString(conn, row.sends); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("the client's read ends with %v; want an orderly end", err)
	}
	if string(got) != row.sees {
		t.Errorf("the client sees %q, want %q", got, row.sees)
	}
	if took := time.Since(began); took < row.within {
		t.Errorf("the end came after %v, want %v", took, row.within)
	}
	tcp.Close()
	row.expect(t, r, m, tcp)
}

// run is the row's real client.
func (row refusedClient) run(t *testing.T, r *testRelay) {
	if _, err := exec.LookPath(row.program[0]); err != nil && os.Getenv("CI") != "true" {
		t.Skipf("%s is not installed: make setup", row.program[0])
	}
	m := row.mappingFor(t, r)
	args := slices.Clone(row.program)
	for i, a := range args {
		args[i] = strings.NewReplacer("PORT", strconv.Itoa(m.Port), "HOST", m.Hostname).Replace(a)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	status := cmd.ProcessState.ExitCode()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", args, err)
	}
	if row.exit < 0 && status == 0 || row.exit >= 0 && status != row.exit || !strings.Contains(string(out), row.says) {
		t.Errorf("%v: exit status %d, want %d and %q:\n%s", args, status, row.exit, row.says, out)
	}
	row.expect(t, r, m, nil)
}

// expect checks the audit entry of the mapping's refused connection.
func (row refusedClient) expect(t *testing.T, r *testRelay, m *relayapi.PortMapping, tcp *net.TCPConn) {
	t.Helper()
	in := *r
	in.t = t
	e := in.expectCauseOn(row.code, row.typ, m.Port)
	if tcp != nil && e.Direction.SourcePort != int64(addrPort(tcp.LocalAddr()).Port()) {
		t.Errorf("audit entry %+v is another connection's", e)
	}
}
