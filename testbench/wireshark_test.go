package testbench_test

import (
	"encoding/csv"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"minato/testbench"
	"minato/testbench/env"
	"minato/testbench/report"
)

// TestCapturesInWireshark lets tshark read what scenarios captured: it has to see the same messages as the report's ladder, and inside TLS, with the
// secrets that are in the file, the page that was asked for.
func TestCapturesInWireshark(t *testing.T) {
	tshark, err := env.Tool("tshark", "tshark")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ speaks, asks string }{
		"http-tls@userspace":        {"tls", "GET /"}, // over TLS 1.3
		"ssh-tls-refused@userspace": {"ssh", ""},
		"http-tls-refused":          {"http", "GET /"}, // in the clear, refused
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jobs, err := testbench.Jobs(name)
			if err != nil || len(jobs) != 1 {
				t.Fatalf("%d jobs, %v", len(jobs), err)
			}
			dir := t.TempDir()
			result := testbench.RunJob(t.Context(), jobs[0], dir, nil, false)
			if result.Status != report.Pass || result.Ladder == nil {
				t.Fatalf("%s %s, ladder %v", result.Status, result.Err, result.Ladder)
			}
			capture := filepath.Join(dir, "internet.pcapng")
			port := mappingPort(t, func(args ...string) string { return readCapture(t, tshark, capture, args...) })
			// Any port may be a mapping's, also one that Wireshark knows as some other protocol's.
			read := func(args ...string) string {
				return readCapture(t, tshark, capture, append(args, "-d", "tcp.port=="+port+","+tt.speaks)...)
			}
			wire := readWire(t, read("-Y", "tcp.port == "+port, "-T", "fields", "-E", "separator=,", "-E", "occurrence=a", "-E", "aggregator=;",
				"-e", "tcp.dstport", "-e", "tcp.flags.syn", "-e", "tcp.flags.fin", "-e", "tcp.flags.reset", "-e", "tcp.len", "-e", "tls.handshake.type",
				"-e", "tcp.stream", "-e", "tcp.seq"), port)
			drawn := readLadder(result.Ladder)
			if wire != drawn {
				t.Errorf("tshark reads %+v, the ladder draws %+v", wire, drawn)
			}
			requests := read("-Y", "http.request && tcp.dstport == "+port, "-T", "fields", "-e", "http.request.method", "-e", "http.request.uri", "-d", "tls.port=="+port+",http")
			if got := strings.Join(strings.Fields(requests), " "); got != tt.asks {
				t.Errorf("tshark reads the request %q, wanted %q", got, tt.asks)
			}
		})
	}
}

func readCapture(t *testing.T, tshark, capture string, args ...string) string {
	t.Helper()
	out, err := exec.Command(tshark, append([]string{"-r", capture, "-n"}, args...)...).Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	return string(out)
}

// mappingPort is the public port: the relay's ports from 10000 on are mappings.
func mappingPort(t *testing.T, read func(...string) string) string {
	t.Helper()
	ports := strings.Fields(read("-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0 && ip.dst == "+env.UserspaceRelay.String()+" && tcp.dstport >= 10000", "-T", "fields", "-e", "tcp.dstport"))
	slices.Sort(ports)
	if ports = slices.Compact(ports); len(ports) != 1 {
		t.Fatalf("the capture has the mappings' ports %v, wanted one", ports)
	}
	return ports[0]
}

// messages are what both readings have to agree on, each as towards the relay and from it.
type messages struct{ syn, fin, rst, bytes, clientHello, serverHello [2]int }

// readWire counts what is new. What is sent again, as TCP does on a machine that has much else to do, the ladder does not draw either.
func readWire(t *testing.T, fields, port string) (m messages) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(fields)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	type direction struct {
		stream string
		from   int
	}
	next, ended := map[direction]int{}, map[direction]bool{} // relative sequence numbers
	for _, row := range rows {
		from := 1
		if row[0] == port {
			from = 0
		}
		d := direction{row[6], from}
		for i, count := range []*[2]int{&m.syn, &m.fin, &m.rst} {
			if (row[1+i] == "1" || row[1+i] == "True") && !(count == &m.fin && ended[d]) {
				count[from]++
				ended[d] = ended[d] || count == &m.fin
			}
		}
		n, err := strconv.Atoi(row[4])
		if err != nil {
			t.Fatal(err)
		}
		seq, err := strconv.Atoi(row[7])
		if err != nil {
			t.Fatal(err)
		}
		if end := seq + n; n > 0 && end > next[d] {
			m.bytes[from] += end - max(seq, next[d])
			next[d] = end
		}
		for _, kind := range strings.Split(row[5], ";") {
			switch kind { // RFC 8446 section 4
			case "1":
				m.clientHello[from]++
			case "2":
				m.serverHello[from]++
			}
		}
	}
	return m
}

func readLadder(l *report.Ladder) (m messages) {
	for _, a := range l.Arrows {
		from := 1
		if a.ToRight {
			from = 0
		}
		m.bytes[from] += a.Bytes
		for label, count := range map[string]*[2]int{"SYN": &m.syn, "FIN": &m.fin, "RST": &m.rst, "ClientHello": &m.clientHello, "ServerHello": &m.serverHello} {
			if a.Label == label || label == "SYN" && a.Label == "SYN, ACK" {
				count[from] += a.Count
			}
		}
	}
	return m
}
