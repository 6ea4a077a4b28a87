package ppp_test

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"minato/agent/ppp"
	"minato/agent/ppp/ppptest"
)

func TestRenegotiation(t *testing.T) {
	bubble(t, ppptest.Pass, ppp.Config{User: "u"}, modem(ppp.AuthCHAP), func(t *testing.T, l *link) {
		await(t, l.client, l.modem)
		for range 3 {
			// The client hears a fresh LCP request, as from a modem that began anew.
			l.Inject(toClient, rawFrame(t, "c0210177000a020600000000"))
			synctest.Wait()
			got := make(chan string, 1)
			l.modem.Attach(func(p []byte) { got <- string(p) }, nil)
			if err := l.client.WritePackets([][]byte{[]byte("after")}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			select {
			case p := <-got:
				if p != "after" {
					t.Errorf("packet %q", p)
				}
			default:
				t.Fatal("no packet passes after renegotiation")
			}
		}
		if got := l.client.Params().Local; got != lease.Addr {
			t.Errorf("address %v", got)
		}
	})
}

// TestRenegotiationToOtherParameters ends the link, whose stack has the first ones.
func TestRenegotiationToOtherParameters(t *testing.T) {
	for _, tt := range []struct {
		name     string
		old, new []byte // as the modem tells it
		says     string
	}{
		{"address", lease.Addr.AsSlice(), []byte{10, 9, 8, 7}, "address from " + lease.Addr.String() + " to 10.9.8.7"},
		{"DNS server", lease.DNS[1].AsSlice(), []byte{10, 9, 8, 7}, lease.DNS[0].String() + " 10.9.8.7]"},
		{"MTU", []byte{1, 4, 1400 >> 8, 1400 & 0xff}, []byte{1, 4, 1300 >> 8, 1300 & 0xff}, "MTU from 1400 to 1300"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var changed atomic.Bool
			filter := func(from ppptest.End, f []byte) [][]byte {
				switch {
				case !changed.Load():
				case from == ppptest.B: // the modem
					f = bytes.ReplaceAll(f, tt.old, tt.new)
				case bytes.Contains(f, tt.new):
					f = bytes.ReplaceAll(f, tt.new, tt.old)
				default: // it asks for what it had, and the modem is to tell
					f = bytes.ReplaceAll(f, tt.old, make([]byte, len(tt.old)))
				}
				return [][]byte{f}
			}
			server := modem(ppp.AuthNone)
			server.MRU = 1400
			bubble(t, filter, ppp.Config{}, server, func(t *testing.T, l *link) {
				await(t, l.client, l.modem)
				before := l.client.Params()
				changed.Store(true)
				l.Inject(toClient, rawFrame(t, "c0210177000a020600000000")) // as from a modem that began anew
				select {
				case err := <-l.client.err:
					if err == nil || !strings.Contains(err.Error(), tt.says) {
						t.Errorf("the client ended with %v", err)
					}
				case <-time.After(time.Minute):
					t.Error("the link goes on")
				}
				if got := l.client.Params(); got.Local != before.Local || got.MTU != before.MTU {
					t.Errorf("%+v, before %+v", got, before)
				}
			})
		})
	}
}
