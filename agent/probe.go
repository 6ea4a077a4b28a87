package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// errProbe is a link that carries nothing.
var errProbe = errors.New("no answer from the closed network")

// A prober asks a host of the closed network for a sign of life. Any answer counts, a refusal too: it came from the other end.
type prober struct {
	network string         // "udp": a DNS query; "tcp": a connection
	to      netip.AddrPort // of the host
}

// parseProbe reads probe.target. With "dns", told are the servers that the network told; there may be none to ask.
func parseProbe(target string, told []netip.Addr) (p prober, ok bool, err error) {
	scheme, rest, _ := strings.Cut(target, "://")
	switch scheme {
	case "none":
		return prober{}, false, nil
	case "dns":
		if rest == "" {
			if len(told) == 0 {
				return prober{}, false, nil
			}
			return prober{"udp", netip.AddrPortFrom(told[0], dnsPort)}, true, nil
		}
		if a, err := netip.ParseAddr(rest); err == nil {
			return prober{"udp", netip.AddrPortFrom(a, dnsPort)}, true, nil
		}
		p.network = "udp"
	case "tcp":
		p.network = "tcp"
	}
	p.to, err = netip.ParseAddrPort(rest)
	if p.network == "" || err != nil || p.to.Port() == 0 {
		return prober{}, false, fmt.Errorf("probe %q: allowed are %s", target, allowedProbes)
	}
	return p, true, nil
}

const (
	allowedProbes = "dns, dns://IP[:PORT], tcp://IP:PORT and none"
	dnsPort       = 53
)

// ask returns nil when an answer came.
func (p prober) ask(ctx context.Context, dial func(ctx context.Context, network, address string) (net.Conn, error)) error {
	c, err := dial(ctx, p.network, p.to.String())
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (%s://%s): %w", errProbe, p.network, p.to, err)
	}
	defer c.Close()
	if p.network == "tcp" {
		return nil
	}
	if until, ok := ctx.Deadline(); ok {
		c.SetDeadline(until)
	}
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	id := uint16(rand.Uint32())
	_, err = c.Write(dnsQuery(id))
	b := make([]byte, 1500)
	for err == nil {
		var n int
		if n, err = c.Read(b); err == nil && isDNSAnswer(b[:n], id) {
			return nil
		}
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return fmt.Errorf("%w (%s://%s): %w", errProbe, p.network, p.to, err)
}

// dnsQuery asks for the name servers of the root, which is the shortest question there is: 45 octets with IP and UDP
// (RFC 1035, 4.1).
func dnsQuery(id uint16) []byte {
	q := make([]byte, 17)
	binary.BigEndian.PutUint16(q, id)
	q[2] = 1  // recursion desired
	q[5] = 1  // one question: the root,
	q[14] = 2 // type NS,
	q[16] = 1 // class IN
	return q
}

func isDNSAnswer(b []byte, id uint16) bool {
	return len(b) >= 12 && binary.BigEndian.Uint16(b) == id && b[2]&0x80 != 0
}

// ProbeStatus is how the probe goes.
type ProbeStatus struct {
	Target string    `json:"target"`
	At     time.Time `json:"at"`                    // of the last
	RTT    float64   `json:"rtt_seconds,omitempty"` // of the last that was answered
	Missed int       `json:"missed"`                // in a row
	Error  string    `json:"error,omitempty"`
}

// maxTrusted is how many intervals in a row traffic from the network spares the probe: it proves one way only.
const maxTrusted = 9

// probe asks until the link ends, or ends it by its error.
func (r *round) probe(ctx context.Context, l *link) error {
	a, cfg := r.agent, r.agent.cfg.Probe
	p, ok, err := parseProbe(cfg.Target, l.conn.Params().DNS)
	if err != nil || !ok {
		return err
	}
	missed, spared, heard := 0, maxTrusted, uint64(0)
	for pause := time.Duration(0); pauseUntil(ctx, pause); {
		in := l.conn.Stats().PacketsIn
		if in != heard && missed == 0 && spared < maxTrusted {
			heard, pause = in, cfg.Interval
			spared++
			continue
		}
		begin := time.Now()
		pctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
		err := p.ask(pctx, l.stack.DialContext)
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		heard, spared = l.conn.Stats().PacketsIn, 0
		st := ProbeStatus{Target: p.network + "://" + p.to.String(), At: begin}
		if err == nil {
			missed, pause = 0, cfg.Interval
			a.probed.Store(true)
			st.RTT = time.Since(begin).Seconds()
		} else {
			missed++
			pause = max(0, cfg.Timeout-time.Since(begin)) // an error at once is no hurry
			st.Missed, st.Error = missed, err.Error()
		}
		a.update(func(s *Status) { s.Probe = &st })
		if missed < cfg.Failures {
			continue
		}
		if cfg.Target == defaultProbe && !a.probed.Load() {
			// Nobody asked for this probe and nothing ever answered it: a network without that server is no dead link.
			a.log.Warn("the network's DNS server never answered: links are not probed; set probe.target", "server", p.to)
			return nil
		}
		return fail(StateOnline, err)
	}
	return nil
}

// defaultProbe is for networks of which nothing is known.
const defaultProbe = "dns"
