package cmux

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
)

// pushPort is a port that is read through WriteTo, as a line in data mode is.
type pushPort struct{ *testPort }

func (p pushPort) Read([]byte) (int, error) { panic("read although it is an io.WriterTo") }

func (p pushPort) WriteTo(w io.Writer) (int64, error) {
	buf := make([]byte, 7)
	for {
		n, err := p.Conn.Read(buf)
		if err != nil {
			return 0, err
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return 0, err
		}
	}
}

func TestPushPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		m := start(t, b, Config{Role: Responder})
		mux := New(pushPort{a}, Config{})
		result := make(chan error, 1)
		go func() { result <- mux.Run(t.Context()) }()
		at, peer := openChannel(t, &running{Mux: mux}, m, 1)
		want := bytes.Repeat([]byte("\r\nOK\r\n"), 100)
		send(t, peer, want)
		expect(t, at, want)
		if err := mux.Close(); err != nil {
			t.Error(err)
		}
		if err := <-result; err != nil {
			t.Error(err)
		}
		if err := <-m.result; !errors.Is(err, ErrPeerClosed) {
			t.Error(err)
		}
	})
}
