package ppp_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minato/agent/ppp"
	"minato/agent/ppp/hdlc"
	"minato/agent/ppp/ppptest"
)

const sign = "\r\nNO CARRIER\r\n"

// TestNoCarrier: how data mode ends on a port without DCD, and that AT gets every octet from the sign on.
func TestNoCarrier(t *testing.T) {
	frame := hdlc.AppendFrame(nil, 0, []byte{0x21}, []byte("in flight"))
	inside := hdlc.AppendFrame(nil, 0, []byte{0x21}, []byte("data"+sign+"data"))
	terminate := rawFrame(t, "c02105090004")
	const silence = 250 * time.Millisecond
	for _, tt := range []struct {
		name   string
		chunks []string
		pause  time.Duration // between chunks
		want   error         // nil: the link stays up
		also   error
		after  time.Duration // of silence
		unread string
		packet string // that still arrives
	}{
		{name: "between frames", chunks: []string{string(frame) + sign + "\r\n+CGEV: NW DETACH\r\n"}, want: ppp.ErrNoCarrier,
			unread: sign + "\r\n+CGEV: NW DETACH\r\n", packet: "in flight"},
		{name: "one octet at a time", chunks: octets(sign), pause: time.Second, want: ppp.ErrNoCarrier, unread: sign},
		{name: "in a good frame", chunks: []string{string(inside)}, packet: "data" + sign + "data"},
		{name: "in a good frame that comes in parts", chunks: halves(string(inside), sign), pause: silence - time.Millisecond, packet: "data" + sign + "data"},
		{name: "in a frame that stops", chunks: []string{"~!half a pa" + sign}, want: ppp.ErrNoCarrier, after: silence, unread: sign},
		{name: "in a frame that stops, in parts", chunks: []string{"~!half a pa" + sign[:6], sign[6:], "RDY\r\n"}, pause: silence / 2, want: ppp.ErrNoCarrier,
			after: silence, unread: sign + "RDY\r\n"},
		{name: "in a frame with a bad FCS", chunks: []string{"~!half a pa" + sign + "}x~OK\r\n"}, want: ppp.ErrNoCarrier, unread: sign + "}x~OK\r\n"},
		{name: "after Terminate-Request", chunks: []string{string(terminate) + sign}, want: ppp.ErrNoCarrier, also: ppp.ErrPeerTerminated, unread: sign},
		{name: "said by no modem", chunks: []string{"~\r\nNO DIALTONE\r\n~"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, ppptest.Pass, ppp.Config{}, modem(ppp.AuthNone), func(t *testing.T, l *link) {
				await(t, l.client, l.modem)
				packets := make(chan string, 4)
				l.client.Attach(func(p []byte) { packets <- string(p) }, nil)
				for i, c := range tt.chunks {
					if i > 0 {
						time.Sleep(tt.pause) // the bubble's time
					}
					l.Inject(toClient, []byte(c))
				}
				began := time.Now()
				synctest.Wait()
				if tt.packet != "" {
					select {
					case p := <-packets:
						if p != tt.packet {
							t.Errorf("packet %q, want %q", p, tt.packet)
						}
					default:
						t.Errorf("the packet %q was lost", tt.packet)
					}
				}
				if tt.want == nil {
					time.Sleep(10 * silence)
					select {
					case err := <-l.client.err:
						t.Fatalf("ended with %v", err)
					default:
						return
					}
				}
				err := <-l.client.err
				if !errors.Is(err, tt.want) || tt.also != nil && !errors.Is(err, tt.also) {
					t.Errorf("ended with %v, want %v", err, tt.want)
				}
				if took := time.Since(began); took != tt.after {
					t.Errorf("ended after %v, want %v", took, tt.after)
				}
				if got := string(l.Ends[ppptest.A].Unreads()); got != tt.unread {
					t.Errorf("given back %q, want %q", got, tt.unread)
				}
			})
		})
	}
}

func octets(s string) (all []string) {
	for i := range len(s) {
		all = append(all, s[i:i+1])
	}
	return all
}

// halves cuts s behind the sign.
func halves(s, sign string) []string {
	at := bytes.Index([]byte(s), []byte(sign)) + len(sign)
	return []string{s[:at], s[at:]}
}

// TestNoCarrierAfterHangUp: the modem answers our Terminate-Request and leaves data mode in the same breath.
func TestNoCarrierAfterHangUp(t *testing.T) {
	for _, cut := range []int{0, 1, 5, len(sign)} {
		var l *link
		last := func(from ppptest.End, f []byte) [][]byte {
			if from == toModem && is(f, "c02106") {
				line := hdlc.AppendFrame(nil, ^uint32(0), nil, f)
				l.Inject(toClient, append(line, sign[:cut]...))
				return nil
			}
			return [][]byte{f}
		}
		bubble(t, last, ppp.Config{}, modem(ppp.AuthNone), func(t *testing.T, got *link) {
			l = got
			await(t, l.client, l.modem)
			l.client.cancel()
			if err := <-l.client.err; err != nil {
				t.Errorf("cancelled client: %v", err)
			}
			if got := string(l.Ends[ppptest.A].Unreads()); got != sign[:cut] {
				t.Errorf("given back %q, want %q", got, sign[:cut])
			}
		})
	}
}

// TestServerIgnoresSign: only a modem says NO CARRIER.
func TestServerIgnoresSign(t *testing.T) {
	bubble(t, ppptest.Pass, ppp.Config{}, modem(ppp.AuthNone), func(t *testing.T, l *link) {
		await(t, l.client, l.modem)
		l.Inject(toModem, []byte(sign))
		time.Sleep(time.Second)
		select {
		case err := <-l.modem.err:
			t.Errorf("modem ended with %v", err)
		default:
		}
	})
}

// lendingPort gives its chunks through WriteTo and keeps what is not taken, as a demultiplexer of AT and data does.
type lendingPort struct {
	*ppptest.Port
	chunks chan string
	kept   string
}

func (p *lendingPort) WriteTo(w io.Writer) (int64, error) {
	for c := range p.chunks {
		n, err := w.Write([]byte(c))
		if err != nil {
			p.kept += c[n:]
			for c := range p.chunks {
				p.kept += c
			}
			return 0, err
		}
	}
	return 0, io.EOF
}

// TestLineGoesAfterSign: the port vanishes while NO CARRIER stands in an unfinished frame.
func TestLineGoesAfterSign(t *testing.T) {
	for _, last := range []string{"~!half a pa" + sign, "~" + sign + "RDY"} {
		synctest.Test(t, func(t *testing.T) {
			a, b := net.Pipe()
			port := &lendingPort{Port: ppptest.NewPort(a), chunks: make(chan string, 3)}
			port.chunks <- last
			port.chunks <- "next"
			close(port.chunks)
			go io.Copy(io.Discard, b) // ends when Run closes the port
			if err := ppp.New(port, ppp.Config{}).Run(t.Context()); !errors.Is(err, ppp.ErrNoCarrier) {
				t.Errorf("ended with %v, want ErrNoCarrier", err)
			}
			given := string(port.Unreads())
			if all := last[strings.Index(last, sign):] + "next"; given+port.kept != all {
				t.Errorf("%q given back and %q kept, want %q in all", given, port.kept, all)
			}
			b.Close()
		})
	}
}
