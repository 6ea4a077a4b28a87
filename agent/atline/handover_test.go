package atline

import (
	"errors"
	"io"
	"testing"
)

func TestHandover(t *testing.T) {
	p := newScriptPort(func(s string) []string {
		switch s {
		case "AT+CMUX=0\r":
			return []string{"\r\nOK\r", "\nframes\r\n"}
		case "more":
			return nil
		}
		return []string{"\r\nOK\r\n"}
	})
	l := New(p, quick())
	defer l.Close()
	d, err := l.Handover(t.Context(), "+CMUX=0")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if _, err := io.ReadFull(d, b); err != nil || string(b) != "frames\r\n" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := io.WriteString(d, "more"); err != nil {
		t.Error(err)
	}
	if _, err := l.Command(t.Context(), "+CSQ"); !errors.Is(err, ErrOnline) {
		t.Errorf("a command in another protocol: %v", err)
	}
	l.Return()
	if _, err := d.Read(b); err == nil {
		t.Error("the port is still the other protocol's")
	}
	if _, err := l.Command(t.Context(), "+CSQ"); err != nil {
		t.Error(err)
	}
}

func TestHandoverRefused(t *testing.T) {
	p := newScriptPort(always("\r\nERROR\r\n", 0))
	l := New(p, quick())
	defer l.Close()
	if _, err := l.Handover(t.Context(), "+CMUX=0"); !errors.Is(err, ErrError) {
		t.Error(err)
	}
	if l.Online() {
		t.Error("online after a refusal")
	}
}

func TestSeize(t *testing.T) {
	p := newScriptPort(always("\r\nOK\r\n", 0))
	l := New(p, quick())
	defer l.Close()
	d, err := l.Seize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Seize(t.Context()); !errors.Is(err, ErrOnline) {
		t.Errorf("seized twice: %v", err)
	}
	p.say("\xf9frame")
	b := make([]byte, 6)
	if _, err := io.ReadFull(d, b); err != nil {
		t.Error(err)
	}
	l.Return()
	if _, err := l.Command(t.Context(), "+CSQ"); err != nil {
		t.Error(err)
	}
}
