package dce

import "testing"

// TestDetachEvents has a context active when the modem leaves the network, or must: no word of the context.
func TestDetachEvents(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		do         func(b *bench, u *user)
	}{
		{"by command", "\r\nOK\r\n\r\n+CGEV: ME DETACH\r\n\r\n+CEREG: 0\r\n", func(_ *bench, u *user) { u.send("AT+CGATT=0\r") }},
		{"no operator", "\r\nOK\r\n\r\n+CGEV: ME DETACH\r\n\r\n+CEREG: 0\r\n", func(_ *bench, u *user) { u.send("AT+COPS=2\r") }},
		{"no radio", "\r\nOK\r\n\r\n+CGEV: ME DETACH\r\n\r\n+CEREG: 0\r\n", func(_ *bench, u *user) { u.send("AT+CFUN=4\r") }},
		{"by the network", "\r\n+CGEV: NW DETACH\r\n\r\n+CEREG: 0\r\n", func(b *bench, _ *user) { b.NetworkDetach(false) }},
		{"refused from now on", "\r\n+CGEV: NW DETACH\r\n\r\n+CEREG: 3\r\n", func(b *bench, _ *user) { b.DenyRegistration(true) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, nil)
			u := b.ready("at")
			u.expect(`AT+CGDCONT=1,"IP","soracom.io";+CGACT=1,1;+CGEREP=2;+CEREG=1`, "\r\nOK\r\n")
			tt.do(b, u)
			if got := u.await("+CEREG: " + tt.want[len(tt.want)-3:]); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			<-b.net.session().Done()
			u.expect("AT+CGACT?", "\r\n+CGACT: 1,0\r\n+CGACT: 2,0\r\n+CGACT: 3,0\r\n\r\nOK\r\n")
		})
	}
}

// TestNetworkDetachIsToldOnce has Run look at the state while the network detaches the modem: it is no detach of the modem's own.
func TestNetworkDetachIsToldOnce(t *testing.T) {
	b := newBench(t, nil)
	u := b.ready("at")
	u.expect("AT+CGEREP=2;+CEREG=1", done)
	for range 200 {
		b.poke()
		b.NetworkDetach(false)
		const want = "\r\n+CGEV: NW DETACH\r\n\r\n+CEREG: 0\r\n"
		if got := u.await("+CEREG: 0\r\n"); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		b.Reattach()
		u.await("+CEREG: 1\r\n")
	}
}
