package cmux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestData(t *testing.T) {
	for _, n1 := range []int{1, 31, 127, 128, 1500, MaxInfo} {
		synctest.Test(t, func(t *testing.T) {
			h, m, at, peer := pair(t, Config{N1: n1}, Config{N1: n1})
			defer stop(t, m, h)
			big := bytes.Repeat([]byte("\xf9\x7e bulk "), 3000)
			go at.Write(big)
			expect(t, peer, big)
			go peer.Write(big)
			expect(t, at, big)
			if s := m.Stats(); s.Junk+s.BadFCS+s.Malformed+s.Overruns+s.Strays+s.Unanswered != 0 {
				t.Errorf("N1 %d: %+v", n1, s)
			}
		})
	}
}

func TestOneWriteOnThePort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		m, h := start(t, b, Config{Role: Responder}), start(t, a, Config{})
		defer stop(t, m, h)
		at, peer := openChannel(t, h, m, 1)
		synctest.Wait()
		before := len(a.written())
		packet := make([]byte, 1500)
		send(t, at, packet)
		expect(t, peer, packet)
		if n := len(a.written()) - before; n != 1 {
			t.Errorf("%d writes of the port", n)
		}
	})
}

func TestSignals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, at, peer := pair(t, Config{}, Config{})
		defer stop(t, m, h)
		<-at.SignalsChanged()
		<-peer.SignalsChanged()
		if diff := cmp.Diff([]Signals{{RTC: true, RTR: true}, {RTC: true, RTR: true, DV: true}}, []Signals{at.Signals(), peer.Signals()}); diff != "" {
			t.Errorf("at first (-want +got):\n%s", diff)
		}
		want := Signals{RTC: true, DV: true, IC: true}
		if err := peer.SetSignals(want); err != nil {
			t.Fatal(err)
		}
		<-at.SignalsChanged()
		if diff := cmp.Diff(want, at.Signals()); diff != "" {
			t.Errorf("ringing (-want +got):\n%s", diff)
		}
		if err := at.SetSignals(Signals{}); err != nil { // DTR drops
			t.Fatal(err)
		}
		<-peer.SignalsChanged()
		if peer.Signals() != (Signals{}) {
			t.Errorf("after the drop: %+v", peer.Signals())
		}
	})
}

// TestLoss loses frames of each kind, and all is well after a repetition.
func TestLoss(t *testing.T) {
	is := func(types ...FrameType) func(p []byte) bool {
		lost := 0
		return func(p []byte) bool {
			if lost < len(types) && FrameType(p[2]&^pf) == types[lost] {
				lost++
				return true
			}
			return false
		}
	}
	for _, tt := range []struct {
		name        string
		host, modem func([]byte) bool
	}{
		{name: "nothing"},
		{name: "SABM", host: is(SABM, SABM, SABM)},
		{name: "UA", modem: is(UA, UA)},
		{name: "both", host: is(SABM), modem: is(UA, UIH)},
		{name: "MSC", host: is(UIH), modem: is(UIH)},
		{name: "DISC", host: is(DISC, DISC)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := line(t)
				a.lose, b.lose = tt.host, tt.modem
				m, h := start(t, b, Config{Role: Responder}), start(t, a, Config{})
				defer stop(t, m, h)
				at, peer := openChannel(t, h, m, 3)
				<-at.SignalsChanged()
				<-peer.SignalsChanged()
				send(t, at, []byte("AT\r"))
				expect(t, peer, []byte("AT\r"))
				if err := at.Close(); err != nil {
					t.Error(err)
				}
				if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("the peer reads %v", err)
				}
			})
		})
	}
}

func TestNobodyThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		s := newScript(t, b)
		h := start(t, a, Config{T1: time.Second, N2: 2})
		began := time.Now()
		if _, err := h.Open(t.Context(), 1); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("Open: %v", err)
		}
		if err := <-h.result; !errors.Is(err, ErrNoAnswer) {
			t.Errorf("Run: %v", err)
		}
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("after %v", d)
		}
		s.expect("f9033f011cf9", "f9033f011cf9", "f9033f011cf9")
		b.Close()
	})
}

func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, _, _ := pair(t, Config{}, Config{Accept: func(dlci byte) bool { return dlci < 3 }})
		defer stop(t, m, h)
		if _, err := h.Open(t.Context(), 3); !errors.Is(err, ErrRefused) {
			t.Errorf("Open: %v", err)
		}
		for _, dlci := range []byte{0, 1, 62, 200} {
			if ch, err := h.Open(t.Context(), dlci); err == nil {
				t.Errorf("opened %d twice, or at all: %v", dlci, ch)
			}
		}
		openChannel(t, h, m, 2)
	})
}

func TestOpenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		s := newScript(t, b)
		h := start(t, a, Config{})
		s.expect("f9033f011cf9")
		s.send("f90373 01d7f9")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := h.Open(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Open: %v", err)
		}
		s.expect("f9073f01def9", "f90753013ff9") // SABM, and DISC lest the peer thinks that it is open
		h.Mux.end(nil)
		stop(t, h)
		b.Close()
	})
}

func TestStalledChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		b.turn = time.Millisecond // so that the host's answer comes between two turns, as on a line with a speed
		m, h := start(t, b, Config{Role: Responder}), start(t, a, Config{})
		defer stop(t, m, h)
		at, peer := openChannel(t, h, m, 1)
		data, bulk := openChannel(t, h, m, 2)
		flood := make([]byte, 200<<10)
		for i := range flood {
			flood[i] = byte(i * 7)
		}
		written := make(chan error, 1)
		go func() { _, err := bulk.Write(flood); written <- err }()
		time.Sleep(time.Second)
		synctest.Wait()
		select {
		case err := <-written:
			t.Fatalf("the flood went nowhere and Write returned %v", err)
		default:
		}
		h.mu.Lock()
		if n := len(data.in); n < highWater || n > highWater+4*turnSize {
			t.Errorf("%d octets buffered", n)
		}
		h.mu.Unlock()
		for range 3 { // the other channel works in both directions
			send(t, at, []byte("AT+CSQ\r"))
			expect(t, peer, []byte("AT+CSQ\r"))
			send(t, peer, []byte("\r\nOK\r\n"))
			expect(t, at, []byte("\r\nOK\r\n"))
		}
		expect(t, data, flood)
		if err := <-written; err != nil {
			t.Error(err)
		}
		if n := h.Stats().Overruns; n != 0 {
			t.Errorf("%d octets lost", n)
		}
	})
}

// slowPort lets the test see what is written, one write at a time.
type slowPort struct {
	*testPort
	next chan []byte
}

func (p *slowPort) Write(b []byte) (int, error) {
	p.next <- bytes.Clone(b)
	return p.testPort.Conn.Write(b)
}

func TestFairTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		m := start(t, b, Config{Role: Responder})
		port := &slowPort{testPort: a, next: make(chan []byte)}
		mux := New(port, Config{})
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- mux.Run(ctx) }()
		var taking chan struct{}
		take := func() { // until taking is closed
			taking = make(chan struct{})
			stopped := taking
			go func() {
				for {
					select {
					case <-port.next:
					case <-stopped:
						return
					}
				}
			}()
		}
		take()
		h := &running{Mux: mux}
		at, _ := openChannel(t, h, m, 1)
		data, sink := openChannel(t, h, m, 2)
		go io.Copy(io.Discard, sink)
		synctest.Wait()
		close(taking)
		go data.Write(make([]byte, 100<<10))
		synctest.Wait()
		send(t, at, []byte("AT\r"))
		for turns := 1; ; turns++ {
			p := <-port.next
			if len(p) > turnSize {
				t.Errorf("a turn of %d octets", len(p))
			}
			if bytes.Contains(p, []byte("AT\r")) {
				if turns > 2 {
					t.Errorf("AT had to wait for %d turns", turns)
				}
				break
			}
		}
		take()
		cancel()
		<-result
		close(taking)
		stop(t, m)
	})
}

func TestChannelClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, at, peer := pair(t, Config{}, Config{})
		defer stop(t, m, h)
		words := bytes.Repeat([]byte("last words "), 100)
		send(t, peer, words)
		if err := peer.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		expect(t, at, words) // what was queued came before DISC
		if n, err := at.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("after the peer's Close: %d, %v", n, err)
		}
		if _, err := at.Write([]byte("x")); err == nil {
			t.Error("Write after the peer's Close")
		}
		if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after Close: %v", err)
		}
		if err := errors.Join(at.Close(), peer.Close()); err != nil {
			t.Errorf("Close again: %v", err)
		}
		again, peer2 := openChannel(t, h, m, 1) // and once more
		go again.Close()
		peer2.Close()
		synctest.Wait()
		openChannel(t, h, m, 1)
	})
}

func TestWriteTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m, at, peer := pair(t, Config{}, Config{})
		defer stop(t, m, h)
		want := bytes.Repeat([]byte("0123456789"), 5000)
		go func() {
			peer.Write(want)
			peer.Close()
		}()
		var got bytes.Buffer
		if n, err := io.Copy(&got, at); err != nil || n != int64(len(want)) || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("copied %d, %v", n, err)
		}
	})
}
