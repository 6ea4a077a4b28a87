package bench

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"minato/emulator"
)

// BenchmarkAT sets a command's round trip with the emulator beside the bare echo of as many octets on the same kind of PTY, the two taking
// turns. It reports the medians in microseconds, and their ratio. The user's end is the same in both: blocking reads and writes.
func BenchmarkAT(b *testing.B) {
	const turns = 2000 // of each, in an iteration
	e, stop, err := emulator.Start(emulator.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	port, err := os.OpenFile(e.Modem(0).ATPath(), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer port.Close()
	bare, end := echoPTY(b)
	defer end()

	const command, answer = "AT+CSQ\r", "\r\n+CSQ: 30,99\r\n\r\nOK\r\n"
	buf := make([]byte, len(answer))
	ask := func(f *os.File, say string, length int) time.Duration {
		began := time.Now()
		if _, err := io.WriteString(f, say); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(f, buf[:length]); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	for ev := range e.Events(b.Context(), 0) { // then the modem has nothing more to say unasked
		if ev.Type == "registration" && ev.State == "1" {
			break
		}
	}
	io.WriteString(port, "ATE0\rAT+CGMM\r") // without an echo, so that the answer is all that comes back
	for said := ""; !strings.HasSuffix(said, "\r\nEC25\r\n\r\nOK\r\n"); {
		n, err := port.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		said += string(buf[:n])
	}
	var echo, at []time.Duration
	for b.Loop() {
		for range turns {
			echo = append(echo, ask(bare, answer, len(answer)))
			at = append(at, ask(port, command, len(answer)))
		}
	}
	if string(buf) != answer {
		b.Fatalf("the modem says %q", buf)
	}
	slices.Sort(echo)
	slices.Sort(at)
	b.ReportMetric(0, "ns/op") // of no meaning
	b.ReportMetric(microseconds(echo[len(echo)/2]), "echo-p50-µs")
	b.ReportMetric(microseconds(at[len(at)/2]), "AT-p50-µs")
	b.ReportMetric(microseconds(at[len(at)*99/100]), "AT-p99-µs")
	b.ReportMetric(float64(at[len(at)/2])/float64(echo[len(echo)/2]), "x-of-echo")
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// echoPTY is a PTY whose master gives back what it reads. end must be called.
func echoPTY(b *testing.B) (slave *os.File, end func()) {
	b.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		b.Fatal(err)
	}
	if err := makeRaw(slave); err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends when the slave is closed
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			if err != nil {
				return
			}
			master.Write(buf[:n])
		}
	}()
	return slave, func() { slave.Close(); <-done; master.Close() }
}

func makeRaw(f *os.File) error {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	return unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
}
