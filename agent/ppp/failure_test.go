package ppp_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"minato/agent/ppp"
	"minato/agent/ppp/ppptest"
)

func TestLoss(t *testing.T) {
	for seed := range uint64(20) {
		// One generator for each direction, so that a seed is the same story each time. With a tenth lost, ten tries fail by chance
		// about once in ten million.
		var r [2]*rand.Rand
		for e := range r {
			r[e] = rand.New(rand.NewPCG(seed, uint64(e)))
		}
		lossy := func(from ppptest.End, frame []byte) [][]byte {
			if r[from].Float64() < 0.1 {
				return nil
			}
			return [][]byte{frame}
		}
		bubble(t, lossy, ppp.Config{}, modem(ppp.AuthCHAP), func(t *testing.T, l *link) {
			await(t, l.client)
			if got := l.client.Params().Local; got != lease.Addr {
				t.Errorf("seed %d: address %v", seed, got)
			}
		})
	}
}

// TestClientFailures: what a modem does wrong, and the error that the client ends with.
func TestClientFailures(t *testing.T) {
	replace := func(what string, by ...string) ppptest.Filter {
		return func(from ppptest.End, frame []byte) [][]byte {
			if !is(frame, what) {
				return [][]byte{frame}
			}
			var out [][]byte
			for _, b := range by {
				f := rawFrameBytes(b)
				f[5] = frame[5] // the identifier: the filtered frames have uncompressed headers
				out = append(out, f)
			}
			return out
		}
	}
	var naks atomic.Int32
	for _, tt := range []struct {
		name   string
		filter ppptest.Filter
		auth   ppp.AuthProtocol
		want   error
		within time.Duration
	}{
		{name: "nothing comes", filter: func(ppptest.End, []byte) [][]byte { return nil }, want: ppp.ErrNegotiation, within: 30 * time.Second},
		{name: "silent IPCP", filter: drop("8021"), want: ppp.ErrNoAddress, within: 40 * time.Second},
		{name: "nak loop", auth: ppp.AuthCHAP, want: ppp.ErrNoAddress, within: time.Minute, filter: func(from ppptest.End, frame []byte) [][]byte {
			if from == toModem && is(frame, "802102") || is(frame, ipcpNak) {
				naks.Add(1)
				f := rawFrameBytes("80210300000a81060a0b0c0d")
				f[5] = stripped(frame)[3]
				return [][]byte{f}
			}
			return [][]byte{frame}
		}},
		{name: "CHAP failure", auth: ppp.AuthCHAP, want: ppp.ErrAuthRefused, filter: compressedToo(chapSuccess, "c22304000004")},
		{name: "PAP nak", auth: ppp.AuthPAP, want: ppp.ErrAuthRefused, filter: compressedToo("c02302", "c0230300000500")},
		{name: "terminated instead of a CHAP result", auth: ppp.AuthCHAP, want: ppp.ErrAuthRefused, filter: compressedToo(chapSuccess, "c02105000004")},
		{name: "PAP unanswered", auth: ppp.AuthPAP, want: ppp.ErrNegotiation, filter: drop("c023"), within: 40 * time.Second},
		{name: "no challenge", auth: ppp.AuthCHAP, want: ppp.ErrNegotiation, filter: drop("c223"), within: 40 * time.Second},
		{name: "IPCP rejected", want: ppp.ErrNoAddress, filter: compressedToo("802102", "c02108000006802100")},
		{name: "Configure-Request rejected as a code", want: ppp.ErrNegotiation, filter: replace("c02102", "c0210700000501")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.filter, ppp.Config{User: "u", Password: "p"}, modem(tt.auth), func(t *testing.T, l *link) {
				began := time.Now()
				err := <-l.client.err
				if !errors.Is(err, tt.want) {
					t.Errorf("client ended with %v, want %v", err, tt.want)
				}
				if took := time.Since(began); took > tt.within+10*time.Second {
					t.Errorf("took %v", took)
				}
				if strings.Contains(err.Error(), "%!") {
					t.Errorf("error text %q", err)
				}
			})
		})
	}
}

func rawFrameBytes(packet string) []byte {
	b := []byte{0xff, 0x03}
	for i := 0; i < len(packet); i += 2 {
		b = append(b, hexDigit(packet[i])<<4|hexDigit(packet[i+1]))
	}
	return b
}

func hexDigit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// stripped is a frame without address and control.
func stripped(frame []byte) []byte {
	if len(frame) > 1 && frame[0] == 0xff && frame[1] == 0x03 {
		return frame[2:]
	}
	return frame
}

// compressedToo replaces a frame from the modem, whatever its header, and keeps its identifier.
func compressedToo(what, by string) ppptest.Filter {
	return func(from ppptest.End, frame []byte) [][]byte {
		if from != toModem || !is(frame, what) {
			return [][]byte{frame}
		}
		f := rawFrameBytes(by)
		f[5] = stripped(frame)[3]
		return [][]byte{f}
	}
}

// drop loses all frames of one protocol, given in hexadecimal.
func drop(proto string) ppptest.Filter {
	want := rawFrameBytes(proto)[2:]
	return func(_ ppptest.End, frame []byte) [][]byte {
		if f := stripped(frame); len(f) > 2 && f[0] == want[0] && f[1] == want[1] {
			return nil
		}
		return [][]byte{frame}
	}
}

func TestActivate(t *testing.T) {
	errBarred := errors.New("APN barred")
	for _, tt := range []struct {
		name     string
		takes    time.Duration
		err      error
		wantNaks int32
	}{
		{name: "at once"},
		{name: "within the first second", takes: 900 * time.Millisecond},
		{name: "slow", takes: 10500 * time.Millisecond, wantNaks: 10},
		{name: "fails", takes: time.Second / 2, err: errBarred},
		{name: "fails late", takes: 5500 * time.Millisecond, err: errBarred, wantNaks: 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var notReady atomic.Int32
			count := func(from ppptest.End, frame []byte) [][]byte {
				if is(frame, ipcpNak) && stripped(frame)[6] == 129 {
					notReady.Add(1)
				}
				return [][]byte{frame}
			}
			var calls atomic.Int32
			cfg := ppp.Config{Server: &ppp.Server{Activate: func(ctx context.Context, _ ppp.Credentials) (ppp.Lease, error) {
				calls.Add(1)
				select {
				case <-time.After(tt.takes):
				case <-ctx.Done():
				}
				return lease, tt.err
			}}}
			bubble(t, count, ppp.Config{}, cfg, func(t *testing.T, l *link) {
				if tt.err == nil {
					await(t, l.client, l.modem)
					if got := l.client.Params().Local; got != lease.Addr {
						t.Errorf("address %v", got)
					}
				} else {
					if err := <-l.modem.err; !errors.Is(err, tt.err) {
						t.Errorf("modem ended with %v, want %v", err, tt.err)
					}
					if err := <-l.client.err; !errors.Is(err, ppp.ErrPeerTerminated) {
						t.Errorf("client ended with %v, want ErrPeerTerminated", err)
					}
				}
			})
			if calls.Load() != 1 {
				t.Errorf("Activate was called %d times", calls.Load())
			}
			if got := notReady.Load(); got != tt.wantNaks {
				t.Errorf("the client was told %d times that the bearer is not ready, want %d", got, tt.wantNaks)
			}
		})
	}
}

func TestCancelDuringActivate(t *testing.T) {
	cfg := ppp.Config{Server: &ppp.Server{Activate: func(ctx context.Context, _ ppp.Credentials) (ppp.Lease, error) {
		<-ctx.Done()
		return ppp.Lease{}, ctx.Err()
	}}}
	bubble(t, ppptest.Pass, ppp.Config{}, cfg, func(t *testing.T, l *link) {
		synctest.Wait()
		l.modem.cancel()
		if err := <-l.modem.err; err != nil {
			t.Errorf("cancelled modem: %v", err)
		}
	})
}

func TestTerminateFromEitherEnd(t *testing.T) {
	for _, name := range []string{"client", "modem"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, ppptest.Pass, ppp.Config{}, modem(ppp.AuthPAP), func(t *testing.T, l *link) {
				await(t, l.client, l.modem)
				first, second := l.client, l.modem
				if name == "modem" {
					first, second = second, first
				}
				first.cancel()
				if err := <-first.err; err != nil {
					t.Errorf("cancelled end: %v", err)
				}
				if err := <-second.err; !errors.Is(err, ppp.ErrPeerTerminated) {
					t.Errorf("other end: %v, want ErrPeerTerminated", err)
				}
			})
		})
	}
}

func TestBothEndsTerminate(t *testing.T) {
	bubble(t, ppptest.Pass, ppp.Config{}, modem(ppp.AuthNone), func(t *testing.T, l *link) {
		await(t, l.client, l.modem)
		began := time.Now()
		l.client.cancel()
		l.modem.cancel()
		for _, r := range []*running{l.client, l.modem} {
			if err := <-r.err; err != nil && !errors.Is(err, ppp.ErrPeerTerminated) { // the other's word may be there before the cancel is seen
				t.Errorf("cancelled end: %v", err)
			}
		}
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestCancelOnDeadLine: two Terminate-Requests without an answer are enough.
func TestCancelOnDeadLine(t *testing.T) {
	var dead atomic.Bool
	bubble(t, func(_ ppptest.End, f []byte) [][]byte {
		if dead.Load() {
			return nil
		}
		return [][]byte{f}
	}, ppp.Config{}, modem(ppp.AuthNone), func(t *testing.T, l *link) {
		await(t, l.client, l.modem)
		dead.Store(true)
		began := time.Now()
		l.client.cancel()
		if err := <-l.client.err; err != nil {
			t.Errorf("cancelled client: %v", err)
		}
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("took %v, want two restart intervals", took)
		}
	})
}

func TestEcho(t *testing.T) {
	var lost atomic.Bool
	filter := func(_ ppptest.End, f []byte) [][]byte {
		if lost.Load() && is(f, lcpEchoReply) {
			return nil
		}
		return [][]byte{f}
	}
	bubble(t, filter, ppp.Config{EchoInterval: 10 * time.Second}, modem(ppp.AuthNone), func(t *testing.T, l *link) {
		await(t, l.client)
		time.Sleep(10 * time.Minute) // the bubble's time
		synctest.Wait()
		select {
		case err := <-l.client.err:
			t.Fatalf("ended with %v while echoes were answered", err)
		default:
		}
		lost.Store(true)
		began := time.Now()
		if err := <-l.client.err; !errors.Is(err, ppp.ErrDeadLink) {
			t.Errorf("client ended with %v, want ErrDeadLink", err)
		}
		if took := time.Since(began); took > 40*time.Second {
			t.Errorf("took %v for three requests, ten seconds apart", took)
		}
		if err := <-l.modem.err; !errors.Is(err, ppp.ErrPeerTerminated) {
			t.Errorf("the modem heard no good-bye: %v", err)
		}
	})
}

// A peer that has gone is not waited for: each second of that is one that the cure begins later.
func TestDeadPeerIsNotWaitedFor(t *testing.T) {
	var dead atomic.Bool
	filter := func(_ ppptest.End, f []byte) [][]byte {
		if dead.Load() {
			return nil
		}
		return [][]byte{f}
	}
	bubble(t, filter, ppp.Config{EchoInterval: 2 * time.Second, EchoFailures: 4}, modem(ppp.AuthNone), func(t *testing.T, l *link) {
		await(t, l.client)
		synctest.Wait()
		dead.Store(true)
		began := time.Now()
		if err := <-l.client.err; !errors.Is(err, ppp.ErrDeadLink) {
			t.Errorf("client ended with %v, want ErrDeadLink", err)
		}
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("took %v for four requests, two seconds apart, and the answer to the last", took)
		}
	})
}

// TestLoopback is a line that returns what is written to it.
func TestLoopback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		echoed := make(chan struct{})
		lines := make(chan []byte, 100)
		go func() { // reads until a is closed
			defer close(lines)
			buf := make([]byte, 4096)
			for {
				n, err := b.Read(buf)
				if err != nil {
					return
				}
				lines <- append([]byte(nil), buf[:n]...)
			}
		}()
		go func() { // writes what was read
			defer close(echoed)
			for line := range lines {
				_, _ = b.Write(line)
			}
		}()
		err := ppp.New(a, ppp.Config{}).Run(t.Context())
		if !errors.Is(err, ppp.ErrLoopback) || !errors.Is(err, ppp.ErrNegotiation) {
			t.Errorf("ended with %v, want ErrLoopback", err)
		}
		<-echoed
		b.Close()
	})
}
