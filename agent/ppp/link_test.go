package ppp_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"minato/agent/ppp"
	"minato/agent/ppp/ppptest"
)

var lease = ppp.Lease{
	Addr: netip.MustParseAddr("10.35.149.45"),
	DNS:  []netip.Addr{netip.MustParseAddr("218.4.4.4"), netip.MustParseAddr("218.2.2.2")},
}

// running is an end of a link whose Run was called.
type running struct {
	*ppp.Conn
	cancel context.CancelFunc
	err    chan error
	done   chan struct{}
}

// wait returns when Run has.
func (r *running) wait() { <-r.done }

func run(t *testing.T, c *ppp.Conn) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{Conn: c, cancel: cancel, err: make(chan error, 1), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err <- c.Run(ctx)
	}()
	return r
}

func await(t *testing.T, rs ...*running) {
	t.Helper()
	for _, r := range rs {
		select {
		case <-r.Ready():
		case err := <-r.err:
			t.Fatalf("Run ended with %v before Ready", err)
		}
	}
}

func TestLinkComesUp(t *testing.T) {
	var addrs = cmpopts.EquateComparable(netip.Addr{})
	for _, auth := range []ppp.AuthProtocol{ppp.AuthNone, ppp.AuthPAP, ppp.AuthCHAP} {
		t.Run(auth.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got ppp.Credentials
				began := time.Now()
				c, s := ppptest.Pair(
					ppp.Config{User: "sora", Password: "air"},
					ppp.Config{Server: &ppp.Server{Auth: auth, Activate: func(_ context.Context, cr ppp.Credentials) (ppp.Lease, error) {
						got = cr
						return lease, nil
					}}})
				client, server := run(t, c), run(t, s)
				await(t, client, server)
				if waited := time.Since(began); waited != 0 {
					t.Errorf("the link took %v on a perfect line: something waited for a timer", waited)
				}
				want := ppp.Params{Local: lease.Addr, DNS: lease.DNS, MTU: 1500, Auth: auth}
				if diff := cmp.Diff(want, client.Params(), addrs); diff != "" {
					t.Errorf("client (-want +got)\n%s", diff)
				}
				want = ppp.Params{Peer: lease.Addr, DNS: lease.DNS, MTU: 1500, Auth: auth}
				if diff := cmp.Diff(want, server.Params(), addrs); diff != "" {
					t.Errorf("server (-want +got)\n%s", diff)
				}
				if auth == ppp.AuthNone {
					if diff := cmp.Diff(ppp.Credentials{}, got); diff != "" {
						t.Errorf("credentials (-want +got)\n%s", diff)
					}
				} else if !got.Matches("sora", "air") || got.Matches("sora", "wrong") || got.Matches("other", "air") {
					t.Errorf("credentials %+v do not tell the right password from others", got)
				}

				packets := make(chan string, 8)
				s.Attach(func(p []byte) { packets <- "up " + string(p) }, nil)
				c.Attach(func(p []byte) { packets <- "down " + string(p) }, nil)
				if err := c.WritePackets([][]byte{[]byte("one~}"), []byte("two")}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // the two directions have no order between them
				if err := s.WritePackets([][]byte{[]byte("three")}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				close(packets)
				var seen []string
				for p := range packets {
					seen = append(seen, p)
				}
				if diff := cmp.Diff([]string{"up one~}", "up two", "down three"}, seen); diff != "" {
					t.Errorf("packets (-want +got)\n%s", diff)
				}

				client.cancel()
				if err := <-client.err; err != nil {
					t.Errorf("cancelled client: %v", err)
				}
				if err := <-server.err; !errors.Is(err, ppp.ErrPeerTerminated) {
					t.Errorf("server: %v, want ErrPeerTerminated", err)
				}
			})
		})
	}
}
