package splice

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// relayMode is set in the environment of the child that BenchmarkRelay measures: only its CPU time is the relay's.
const relayMode = "SPLICE_BENCH_RELAY"

// A mode is one way to relay; each is measured in the same run.
var relayModes = map[string]func(client, target net.Conn){
	"tcp/splice": func(client, target net.Conn) { New(client, target, Config{}).Run(context.Background()) },
	"tcp/io.Copy": func(client, target net.Conn) { // splices too, but its counters stand still until the end
		var both sync.WaitGroup
		both.Go(func() { io.Copy(client, target); client.(halfCloser).CloseWrite() })
		both.Go(func() { io.Copy(target, client); target.(halfCloser).CloseWrite() })
		both.Wait()
		client.Close()
		target.Close()
	},
	"tcp/copy": func(client, target net.Conn) {
		copyBoth(&countConn{Conn: client}, &countConn{Conn: target})
	},
	"tls/gather": func(client, target net.Conn) {
		g := NewGatherConn(client)
		New(g.Wrap(tls.Server(g, benchTLS())), target, Config{}).Run(context.Background())
	},
	"tls/copy": func(client, target net.Conn) { copyBoth(tls.Server(client, benchTLS()), target) },
}

func benchTLS() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{testCertificate()}} }

// copyBoth is the relay that one writes first: io.Copy with a 64 KiB buffer each way.
func copyBoth(client, target net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, target}, {target, client}} {
		both.Go(func() {
			io.CopyBuffer(struct{ io.Writer }{way[0]}, struct{ io.Reader }{way[1]}, make([]byte, 64<<10))
			way[0].(halfCloser).CloseWrite()
		})
	}
	both.Wait()
	client.Close()
	target.Close()
}

func (c *countConn) CloseWrite() error { return c.Conn.(halfCloser).CloseWrite() }

// TestRelayChild is the child: it relays one connection between the two addresses given and ends.
func TestRelayChild(t *testing.T) {
	mode := os.Getenv(relayMode)
	if mode == "" {
		return // a test of its own only as a child
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fmt.Println(l.Addr())
	client, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	target, err := net.Dial("tcp", os.Getenv("SPLICE_BENCH_TARGET"))
	if err != nil {
		t.Fatal(err)
	}
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	relayModes[mode](client, target)
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	fmt.Println(seconds(after) - seconds(before))
}

func seconds(u syscall.Rusage) float64 {
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkRelay sends 2 GB through a relay of each mode, in its own process, and tells the CPU seconds that it took per GB.
func BenchmarkRelay(b *testing.B) {
	const size = 2e9
	for _, way := range []string{"down", "up"} {
		for _, mode := range []string{"tcp/copy", "tcp/io.Copy", "tcp/splice", "tls/copy", "tls/gather"} {
			b.Run(mode+"/"+way, func(b *testing.B) {
				cpu := 0.0
				for range b.N {
					cpu += relayOnce(b, mode, way == "down", size)
				}
				b.ReportMetric(cpu/float64(b.N)/(size/1e9), "CPU-s/GB")
				b.SetBytes(size)
			})
		}
	}
}

func relayOnce(b *testing.B, mode string, down bool, size int64) float64 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	child := exec.Command(os.Args[0], "-test.run=^TestRelayChild$")
	child.Env = append(os.Environ(), relayMode+"="+mode, "SPLICE_BENCH_TARGET="+l.Addr().String())
	out, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	defer child.Wait()
	var addr, spent string
	fmt.Fscanln(out, &addr)
	client, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	target, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	if mode[:3] == "tls" {
		client = tls.Client(client, &tls.Config{InsecureSkipVerify: true})
		if err := client.(*tls.Conn).Handshake(); err != nil {
			b.Fatal(err)
		}
	}
	from, to := client, target
	if down {
		from, to = target, client
	}
	var sending sync.WaitGroup
	sending.Go(func() {
		buf := make([]byte, 256<<10)
		io.CopyBuffer(struct{ io.Writer }{from}, io.LimitReader(endless{}, size), buf)
		from.(halfCloser).CloseWrite()
	})
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{to}, make([]byte, 256<<10))
	if n != size || err != nil {
		b.Errorf("%d of %d bytes, %v", n, size, err)
	}
	to.Close()
	sending.Wait()
	from.Close()
	fmt.Fscanln(out, &spent)
	io.Copy(io.Discard, out)
	cpu, err := strconv.ParseFloat(spent, 64)
	if err != nil {
		b.Fatal(err)
	}
	return cpu
}
