package cmux

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestSent waits for a channel's place on the line before another writes, and for one that the peer holds until that is closed.
func TestSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := line(t)
		b.turn = time.Millisecond
		m, h := start(t, b, Config{Role: Responder}), start(t, a, Config{})
		defer stop(t, m, h)
		_, first := openChannel(t, h, m, 1)
		_, second := openChannel(t, h, m, 2)
		for range 5 {
			send(t, second, []byte("+CMGS: 1"))
			<-second.Sent()
			send(t, first, []byte("+CDS: 1"))
			<-first.Sent()
		}
		<-first.Sent() // with nothing to wait for
		time.Sleep(time.Second)
		if order := regexp.MustCompile(`CMGS|CDS`).FindAllString(string(bytes.Join(b.written(), nil)), -1); strings.Join(order, " ") != strings.TrimSpace(strings.Repeat("CMGS CDS ", 5)) {
			t.Errorf("on the line in this order: %v", order)
		}

		written := make(chan error, 1)
		go func() { _, err := second.Write(make([]byte, 100<<10)); written <- err }() // nobody reads it
		time.Sleep(time.Second)
		sent := second.Sent()
		select {
		case <-sent:
			t.Error("sent to a peer that takes nothing")
		default:
		}
		second.Close()
		<-sent
		if err := <-written; err == nil {
			t.Error("the channel was closed, and Write says nothing of it")
		}
	})
}
