package atline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

const frame = "~\xff}#\xc0!}!}!} }4}\"}&} } } } }%}&\r\nOK\r\n~" // bytes that look like a result are the call's all the same

// The bytes behind CONNECT are the call's from the first one on, however the reads fall.
func TestConnectAtEverySplit(t *testing.T) {
	for _, text := range []string{"CONNECT", "CONNECT 150000000", "CONNECT 115200"} {
		for _, before := range []string{"\r\n", "ATD*99***1#\r\r\n", "\r\n+CEREG: 1\r\n\r\n"} {
			reply := before + text + "\r\n" + frame
			for cut := range len(reply) {
				port := newScriptPort(always(reply, cut))
				l := New(port, quick())
				data, got, err := l.Connect(t.Context(), "D*99***1#")
				if err != nil || got != text {
					t.Fatalf("cut at %d: %q, %v", cut, got, err)
				}
				buf := make([]byte, len(frame))
				if _, err := io.ReadFull(data, buf); err != nil || string(buf) != frame {
					t.Fatalf("cut at %d: read %q, %v", cut, buf, err)
				}
				if _, err := l.Command(t.Context(), "+CSQ"); !errors.Is(err, ErrOnline) {
					t.Fatalf("a command in data mode: %v", err)
				}
				l.Close()
				if _, err := data.Read(buf); err != io.EOF {
					t.Fatalf("read after the end: %v", err)
				}
			}
		}
	}
}

// A modem whose answers lag one command behind answers a dial with the OK of the command before.
func TestConnectAnsweredByOK(t *testing.T) {
	l := New(newScriptPort(always("\r\nOK\r\n", 0)), quick())
	defer l.Close()
	data, _, err := l.Connect(t.Context(), "D*99***1#")
	if data != nil || !errors.Is(err, ErrNotConnected) {
		t.Errorf("%v, %v", data, err)
	}
	if _, err := l.Command(t.Context(), "+CSQ"); err != nil {
		t.Errorf("the next command: %v", err)
	}
}

func TestConnectWithCGDATA(t *testing.T) {
	l := New(newScriptPort(always("\r\nCONNECT\r\n~", 0)), quick())
	defer l.Close()
	data, _, err := l.Connect(t.Context(), `+CGDATA="PPP",1`)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := data.Read(b); err != nil || b[0] != '~' {
		t.Fatalf("read %q, %v", b, err)
	}
}

// A sink that finds NO CARRIER, as PPP does.
type carrierSink struct {
	data *Data
	got  bytes.Buffer
}

func (s *carrierSink) Write(p []byte) (int, error) {
	if i := bytes.Index(p, []byte("\r\nNO CARRIER\r\n")); i >= 0 {
		s.got.Write(p[:i])
		s.data.Unread(p[i:])
		return len(p), nil
	}
	s.got.Write(p)
	return len(p), nil
}

func TestUnreadGoesBackToCommandMode(t *testing.T) {
	for _, tail := range []string{"", "\r\nRDY\r\n", "\r\n+CEREG: 0"} {
		b := newBus()
		cfg := quick()
		cfg.OnURC = b.put
		port := newScriptPort(func(w string) []string {
			if strings.HasPrefix(w, "ATD") {
				return []string{"\r\nCONNECT\r\n", "~abc~", "~def~\r\nNO CARRIER\r\n" + tail}
			}
			return []string{"\r\nOK\r\n"}
		})
		l := New(port, cfg)
		data, _, err := l.Connect(t.Context(), "D*99#")
		if err != nil {
			t.Fatal(err)
		}
		sink := &carrierSink{data: data}
		if n, err := data.WriteTo(sink); err != io.EOF || n == 0 {
			t.Fatalf("WriteTo: %d, %v", n, err)
		}
		if got := sink.got.String(); got != "~abc~~def~" {
			t.Fatalf("data %q", got)
		}
		if got := b.await(1); got[0] != "NO CARRIER" {
			t.Fatalf("URCs %q", got)
		}
		if l.Online() {
			t.Fatal("still online")
		}
		port.say("\r\n") // the end of a line that was cut
		if _, err := l.Command(t.Context(), "H"); err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}

func TestDataCloseEndsBlockedCalls(t *testing.T) {
	port := newScriptPort(func(w string) []string { return []string{"\r\nCONNECT\r\n"} })
	l := New(port, quick())
	defer l.Close()
	data, _, err := l.Connect(t.Context(), "D*99#")
	if err != nil {
		t.Fatal(err)
	}
	port.setFull(true)
	ends := make(chan error)
	go func() { _, err := data.Read(make([]byte, 1)); ends <- err }()
	go func() { _, err := data.WriteTo(io.Discard); ends <- err }()
	go func() { _, err := data.Write([]byte("x")); ends <- err }()
	data.Close()
	for range 3 {
		if err := <-ends; !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) { // a write is interrupted by its deadline
			t.Errorf("got %v", err)
		}
	}
}

// Chunks reach the sink as they were read, on one goroutine, and a slow sink holds the reader.
func TestWriteToTakesChunksWhole(t *testing.T) {
	port := newScriptPort(func(w string) []string { return []string{"\r\nCONNECT\r\n", "one", "two", "three"} })
	l := New(port, quick())
	data, _, err := l.Connect(t.Context(), "D*99#")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	sink := sinkFunc(func(p []byte) (int, error) {
		got = append(got, string(p))
		if len(got) == 3 {
			port.Close()
		}
		return len(p), nil
	})
	if _, err := data.WriteTo(sink); err != io.EOF {
		t.Fatalf("WriteTo: %v", err)
	}
	if strings.Join(got, "|") != "one|two|three" {
		t.Errorf("got %q", got)
	}
	l.Close()
}

type sinkFunc func([]byte) (int, error)

func (f sinkFunc) Write(p []byte) (int, error) { return f(p) }

func TestEscapeAndResume(t *testing.T) {
	port := newScriptPort(func(w string) []string {
		switch w {
		case "ATD*99***1#\r", "ATO\r":
			return []string{"\r\nCONNECT\r\n~hello~"}
		case "+++":
			return []string{"~tail~", "\r\nO", "K\r\n"}
		case "AT+CSQ\r":
			return []string{"\r\n+CSQ: 5,99\r\n\r\nOK\r\n"}
		case "ATH\r":
			return []string{"\r\nNO CARRIER\r\n", "\r\nOK\r\n"}
		}
		return nil
	})
	l := New(port, quick())
	defer l.Close()
	first, _, err := l.Connect(t.Context(), "D*99***1#")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Escape(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Write([]byte("x")); err == nil {
		t.Error("the suspended call's Data still writes")
	}
	if info, err := l.Command(t.Context(), "+CSQ"); err != nil || len(info) != 1 {
		t.Fatalf("command while suspended: %q, %v", info, err)
	}
	data, err := l.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 7)
	if _, err := io.ReadFull(data, buf); err != nil || string(buf) != "~hello~" {
		t.Fatalf("read %q, %v", buf, err)
	}
	if err := l.Escape(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Command(t.Context(), "H"); err != nil {
		t.Fatal(err)
	}
}

// After Close the modem still sends, and then says that the call is over: no +++ is needed.
func TestEscapeEndsWithNoCarrier(t *testing.T) {
	port := newScriptPort(always("\r\nCONNECT\r\n", 0))
	cfg := quick()
	cfg.Guard = time.Hour
	l := New(port, cfg)
	defer l.Close()
	data, _, err := l.Connect(t.Context(), "D*99***1#")
	if err != nil {
		t.Fatal(err)
	}
	data.Close()
	if _, err := l.Command(t.Context(), "+CSQ"); !errors.Is(err, ErrOnline) {
		t.Fatalf("got %v", err)
	}
	go port.say("~\xc0!rest of a frame~\r\nNO CARRIER\r\n")
	if err := l.Escape(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(port.sent(), "+++") {
		t.Error("+++ was sent to a modem in command mode")
	}
}

// A dial that was given up connects after all: the next command does not go into the call.
func TestLateConnect(t *testing.T) {
	ctx, giveUp := context.WithCancel(t.Context())
	port := newScriptPort(func(w string) []string {
		switch w {
		case "ATD*99#\r":
			giveUp()
		case "+++", "AT" + syncCommand + "\r", "AT+CSQ\r":
			return []string{"\r\nOK\r\n"}
		}
		return nil
	})
	l := New(port, quick())
	defer l.Close()
	if _, _, err := l.Connect(ctx, "D*99#"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	port.say("\r\nCONNECT\r\n~~~")
	for !l.Online() {
		select {
		case <-t.Context().Done():
			t.Fatal("the CONNECT was not seen")
		case <-time.After(time.Millisecond):
		}
	}
	if _, err := l.Command(t.Context(), "+CSQ"); !errors.Is(err, ErrOnline) {
		t.Fatalf("got %v", err)
	}
	if err := l.Escape(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Command(t.Context(), "+CSQ"); err != nil {
		t.Fatal(err)
	}
}

// A call that another process left is not known here; the modem takes every command for data until it is escaped.
func TestRecover(t *testing.T) {
	online := true
	port := newScriptPort(func(w string) []string {
		switch {
		case w == "+++":
			online = false
		case online:
			return []string{"~noise~"}
		}
		return []string{"\r\nOK\r\n"}
	})
	l := New(port, quick())
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.Command(ctx, "E0V1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if err := l.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Command(t.Context(), "E0V1"); err != nil {
		t.Fatal(err)
	}
}
