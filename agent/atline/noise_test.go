package atline

import (
	"io"
	"strings"
	"testing"
	"time"
)

// callThatIsLost dials, and ends when the carrier has gone with packets on their way.
func callThatIsLost(t *testing.T, l *Line) {
	t.Helper()
	data, _, err := l.Connect(t.Context(), "D*99#")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.Write([]byte("~packets~")); err != nil {
		t.Fatal(err)
	}
	if _, err := data.WriteTo(&carrierSink{data: data}); err != io.EOF {
		t.Fatal(err)
	}
}

// What was on its way may hold an A/, which repeats the dial: a call is up that nobody asked for, and is ended before the next command.
func TestNoiseDials(t *testing.T) {
	online, hungUp := false, false
	port := newScriptPort(func(w string) []string {
		switch {
		case w == "~packets~":
			online = true
			return []string{"\r\nNO CARRIER\r\n", "\r\nERROR\r\n", "\r\nCONNECT 150000000\r\n", "~an LCP request~"}
		case w == "+++":
			online = false
		case online:
			return nil
		case w == "ATH\r":
			hungUp = true
		case strings.HasPrefix(w, "ATD"):
			return []string{"\r\nCONNECT\r\n"}
		}
		return []string{"\r\nOK\r\n"}
	})
	l := New(port, quick())
	defer l.Close()
	callThatIsLost(t, l)
	if _, err := l.Command(t.Context(), "+CEREG?"); err != nil || !hungUp {
		t.Fatalf("the first command after the call: %v; the call was ended: %v", err, hungUp)
	}
}

// A modem reads what was on its way to the call's other end as command lines. Here some of it began with AT: results are numbers, and echo is on.
func TestNoiseAfterACall(t *testing.T) {
	numeric, calls := false, 0
	ok := func() string {
		if numeric {
			return "0\r"
		}
		return "\r\nOK\r\n"
	}
	port := newScriptPort(func(w string) []string {
		switch {
		case strings.HasPrefix(w, "ATD"):
			calls++
			if numeric {
				return []string{"1\r", "~lost"}
			}
			return []string{"\r\nCONNECT\r\n"}
		case w == "~packets~":
			numeric = true
			return []string{"\r\nNO CARRIER\r\n", "\r\nERROR\r\n", "\r\nERROR\r\n", "4\r", "4\r"}
		case strings.HasPrefix(w, "AT"+syncCommand):
			defer func() { numeric = false }()
			return []string{"4\r", w, "\r\nOK\r\n", "4\r"} // the end of the noise comes first, and some behind
		}
		return []string{ok()}
	})
	l := New(port, quick())
	defer l.Close()
	callThatIsLost(t, l)
	if info, err := l.Command(t.Context(), "+CEREG?"); err != nil || len(info) != 0 {
		t.Fatalf("the first command after the call: %q, %v", info, err)
	}
	data, _, err := l.Connect(t.Context(), "D*99#")
	if err != nil {
		t.Fatal(err)
	}
	data.Close()
	if calls != 2 {
		t.Errorf("%d dials", calls)
	}
}

// What a modem announces meanwhile does not make the noise last: one that announces something all the time can be asked, too.
func TestNoiseAmongAnnouncements(t *testing.T) {
	port := newScriptPort(func(w string) []string {
		switch {
		case strings.HasPrefix(w, "ATD"):
			return []string{"\r\nCONNECT\r\n"}
		case w == "~packets~":
			return []string{"\r\nNO CARRIER\r\n", "\r\nERROR\r\n"}
		}
		return []string{"\r\nOK\r\n"}
	})
	l := New(port, quick())
	defer l.Close()
	callThatIsLost(t, l)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond): // quick's silence is longer
				port.say("\r\n+CEREG: 2\r\n")
			}
		}
	}()
	if _, err := l.Command(t.Context(), "+CEREG=2"); err != nil {
		t.Errorf("the first command after the call: %v", err)
	}
	close(stop)
	<-stopped
}
