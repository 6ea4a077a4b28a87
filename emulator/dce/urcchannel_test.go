package dce

import (
	"fmt"
	"testing"
)

// channels opens channels of a multiplexer on the modem's port, in the order in which they are wanted.
func (b *bench) channels(u *user, dlcis ...byte) []*user {
	b.t.Helper()
	mux, ended := u.multiplex("AT+CMUX=0")
	b.t.Cleanup(func() { mux.Close(); <-ended })
	var users []*user
	for _, dlci := range dlcis {
		users = append(users, b.channel(mux, dlci))
	}
	return users
}

// saidTo sends a message to the modem and checks that it is told of on these channels, and was not on the others: what they say to
// a command then is all there is.
func (b *bench) saidTo(place int, others []*user, to ...*user) {
	b.t.Helper()
	b.arrives("ahoy")
	want := fmt.Sprintf("\r\n+CMTI: \"ME\",%d\r\n", place)
	for _, u := range to {
		if got := u.await(want); got != want {
			b.t.Errorf("%q came, want %q", got, want)
		}
	}
	for _, u := range others {
		u.expect("AT", done)
	}
}

// TestURCChannels is where unsolicited results go as the channels open, dial and close.
func TestURCChannels(t *testing.T) {
	t.Run("only the second", func(t *testing.T) {
		b, u := messageUser(t, nil)
		b.saidTo(0, nil, b.channels(u, 2)...)
	})
	t.Run("while the first carries data", func(t *testing.T) {
		b, u := messageUser(t, nil)
		both := b.channels(u, 1, 2)
		one, two := both[0], both[1]
		b.saidTo(0, nil, one, two)
		c := one.dial("sora", "sora")
		c.awaitUp(t)
		b.saidTo(1, nil, two)
		c.cancel()
		c.awaitEnd(t)
		one.await("\r\nNO CARRIER\r\n")
		b.saidTo(2, nil, one, two)
	})
	t.Run("all carry data", func(t *testing.T) {
		b, u := messageUser(t, nil)
		one := b.channels(u, 3)[0]
		c := one.dial("sora", "sora")
		c.awaitUp(t)
		b.arrives("waits")
		b.awaitStored(1)
		c.cancel()
		c.awaitEnd(t)
		one.await("\r\nNO CARRIER\r\n")
		one.await("\r\n+CMTI: \"ME\",0\r\n")
	})
}

// TestURCPort is Quectel's choice of a channel.
func TestURCPort(t *testing.T) {
	for _, name := range []string{"quectel-ec25", "quectel-eg25-g", "quectel-bg96"} {
		t.Run(name, func(t *testing.T) {
			b, u := messageUser(t, func(c *Config) {
				p, err := LoadPersonality(name)
				if err != nil {
					t.Fatal(err)
				}
				c.Personality = p
			})
			list := b.channels(u, 1, 2, 3)
			one, two, three := list[0], list[1], list[2]
			three.expect(`AT+QCFG="cmux/urcport",5`, "\r\n+CME ERROR: 50\r\n")
			three.expect(`AT+QCFG="cmux/urcport",2`, done)
			three.expect(`AT+QCFG="cmux/urcport"`, ok(`+QCFG: "cmux/urcport",2`))
			b.saidTo(0, []*user{one, three}, two)
			c := two.dial("sora", "sora")
			c.awaitUp(t)
			b.saidTo(1, []*user{three}, one)
			c.cancel()
			c.awaitEnd(t)
			two.await("\r\nNO CARRIER\r\n")
			b.saidTo(2, []*user{one, three}, two)
			two.conn.(channelConn).Close()
			b.statusIs(func(s Status) bool { return len(s.Ports) == 3 }) // the line and two channels
			b.saidTo(3, []*user{three}, one)
			three.expect(`AT+QCFG="cmux/urcport",0`, done)
			b.saidTo(4, nil, one, three)
		})
	}
}
