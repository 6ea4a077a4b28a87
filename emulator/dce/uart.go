package dce

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// uartLine is a line whose speed matters: while user and modem differ, each hears noise. The user's speed is the terminal's.
type uartLine struct {
	Line
	speed func() (int, error)
	try   func([]byte) (int, error)
	rate  atomic.Int64 // the modem's; 0: the user's, whatever it is

	left []byte // noise that did not fit into a read
}

// newUARTLine is false for a line that has no speed, such as a socket.
func newUARTLine(l Line) (*uartLine, bool) {
	timed, ok := l.(interface{ Speed() (int, error) })
	if !ok {
		return nil, false
	}
	u := &uartLine{Line: l, speed: timed.Speed}
	if t, ok := l.(interface{ TryWrite([]byte) (int, error) }); ok {
		u.try = t.TryWrite
	}
	return u, true
}

// Speed is that of the line below.
func (u *uartLine) Speed() (int, error) { return u.speed() }

// mismatch gives the two speeds when they differ.
func (u *uartLine) mismatch() (user, modem int, differ bool) {
	modem = int(u.rate.Load())
	if modem == 0 {
		return 0, 0, false
	}
	user, err := u.speed()
	return user, modem, err == nil && user > 0 && user != modem
}

func (u *uartLine) Read(b []byte) (int, error) {
	for len(u.left) == 0 {
		n, err := u.Line.Read(b)
		user, modem, differ := u.mismatch()
		if n == 0 || err != nil || !differ {
			return n, err
		}
		u.left = resample(b[:n], user, modem)
	}
	n := copy(b, u.left)
	u.left = u.left[n:]
	return n, nil
}

func (u *uartLine) Write(b []byte) (int, error) {
	if user, modem, differ := u.mismatch(); differ {
		if _, err := u.Line.Write(resample(b, modem, user)); err != nil {
			return 0, err
		}
		return len(b), nil
	}
	return u.Line.Write(b)
}

// TryWrite loses noise that does not go at once.
func (u *uartLine) TryWrite(b []byte) (int, error) {
	if user, modem, differ := u.mismatch(); differ {
		if u.try != nil {
			_, err := u.try(resample(b, modem, user))
			return len(b), err
		}
		return len(b), nil
	}
	if u.try == nil {
		return 0, nil
	}
	return u.try(b)
}

// Discard and Online are the line's below, where it has them.
func (u *uartLine) Discard(most int) {
	if l, ok := u.Line.(interface{ Discard(most int) }); ok {
		l.Discard(most)
	}
}

// Online tells the line that a data call has begun or ended.
func (u *uartLine) Online(on bool) {
	if l, ok := u.Line.(interface{ Online(on bool) }); ok {
		l.Online(on)
	}
}

// resample is what a receiver at one speed makes of octets sent at another, 8N1, back to back: it samples the middle of what it takes
// for bits. Where it finds no stop bit it gives NUL, as a terminal does for a framing error.
func resample(b []byte, from, to int) []byte {
	// Time is in units in which a bit lasts "to" for the sender and "from" for the receiver.
	high := func(t int) bool {
		octet, bit := t/to/10, t/to%10
		switch {
		case octet >= len(b) || bit == 9:
			return true
		case bit == 0:
			return false
		}
		return b[octet]>>(bit-1)&1 == 1
	}
	var out []byte
	for t, end := 0, len(b)*10*to; t < end; {
		if high(t) {
			t = (t/to + 1) * to
			continue
		}
		middle := t + from/2
		if high(middle) { // too short for a start bit
			t = (middle/to + 1) * to
			continue
		}
		var c byte
		for bit := range 8 {
			if high(middle + from*(bit+1)) {
				c |= 1 << bit
			}
		}
		t = middle + 9*from
		if !high(t) {
			c = 0
			for t < end && !high(t) {
				t = (t/to + 1) * to
			}
		}
		out = append(out, c)
	}
	return out
}

func rateCommands() []command {
	return []command{{name: "+IPR", read: readRate, test: testRate, set: setRate}}
}

func readRate(x *exchange) result {
	x.info(fmt.Sprintf("+IPR: %d", x.p.settings().rate))
	return resultOK
}

// testRate lists the rates that are found out by themselves and those that can be set (V.250 section 6.2.10).
func testRate(x *exchange) result {
	rates := x.m.personality.Line.Rates.Value
	list := strings.ReplaceAll(strings.Trim(fmt.Sprint(rates), "[]"), " ", ",")
	if slices.Contains(rates, 0) {
		x.info("+IPR: (" + strings.TrimPrefix(list, "0,") + "),(" + list + ")")
		return resultOK
	}
	x.info("+IPR: (),(" + list + ")")
	return resultOK
}

// setRate takes effect once OK is on the line.
func setRate(x *exchange, a args) result {
	n, ok := a.number(0, 0, 0, 4000000)
	if !ok || len(a) > 1 || !slices.Contains(x.m.personality.Line.Rates.Value, n) {
		return x.m.personality.rateError
	}
	p := x.p
	r := resultOK
	r.after = func() {
		p.out.drain()
		p.change(func(s *settings) { s.rate = n })
	}
	return r
}
