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
	query := dnsQuery(id)
	if until, ok := ctx.Deadline(); ok { // a packet that is lost on the way is no dead link (TCP repeats its own)
		again := time.AfterFunc(time.Until(until)/2, func() { c.Write(query) })
		defer again.Stop()
	}
	_, err = c.Write(query)
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

// maxCrowded is how many questions may stay unanswered while packets come in, and not count: a transfer that fills the link delays or drops them.
// Where our direction is dead, that traffic soon has pauses, and what stays unanswered in these does count.
const maxCrowded = 30

// maxTrusted is for how many intervals traffic from the network spares the probe: it proves one way only.
const maxTrusted = 10

// looksPerInterval is how often in an interval the traffic is looked at.
const looksPerInterval = 5

// probe asks until the link ends, or ends it by its error. It asks at the beginning, and when nothing came for an interval; so that a
// link which died is found after an interval and the failures, whatever it carried before. That holds for a link that was dead from the
// start, too, where this probe was answered once on this APN, be it by an earlier process.
func (r *round) probe(ctx context.Context, l *link) error {
	a, cfg := r.agent, r.agent.cfg.Probe
	p, ok, err := parseProbe(cfg.Target, l.dns)
	if err != nil || !ok {
		return err
	}
	known := cfg.Target + " on " + a.cfg.Network.APN
	missed, crowded := 0, 0
	heard, looked := l.received(), time.Now() // packets at the last look
	var alive, asked time.Time                // the last sign of life came after alive
	for pause := time.Duration(0); pauseUntil(ctx, pause); {
		in := l.received()
		if in != heard {
			heard, alive = in, looked
		}
		looked = time.Now()
		if missed == 0 && looked.Sub(alive) < cfg.Interval && looked.Sub(asked) < maxTrusted*cfg.Interval {
			pause = cfg.Interval / looksPerInterval
			continue
		}
		begin := time.Now()
		pctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
		err := p.ask(pctx, l.network.DialContext)
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		busy := l.received() != in
		heard, looked, asked = l.received(), time.Now(), time.Now()
		st := ProbeStatus{Target: p.network + "://" + p.to.String(), At: begin}
		if err == nil {
			missed, crowded, pause, alive = 0, 0, cfg.Interval/looksPerInterval, asked
			a.ladder.state.noteAnswer(known)
			st.RTT = time.Since(begin).Seconds()
		} else {
			if busy {
				alive = begin
			}
			if busy && crowded < maxCrowded {
				crowded++
			} else {
				missed++
			}
			pause = max(0, cfg.Timeout-time.Since(begin)) // an error at once is no hurry
			st.Missed, st.Error = missed, err.Error()
		}
		a.update(func(s *Status) { s.Probe = &st })
		if missed < cfg.Failures {
			continue
		}
		f := fail(StateOnline, err)
		f.Hint = probeHint
		if cfg.Target != defaultProbe || a.ladder.state.isAnswered(known) {
			return f
		}
		// Nobody asked for this probe and nothing ever answered it: a network without that server, or a link that is dead from the start. A
		// new link may tell; beyond that it is not ended, but asked on, seldom.
		switch a.doubts++; a.doubts {
		case 1:
			return f
		case 2:
			a.log.Warn("the network's DNS server never answered, which ends no link: set probe.target", "server", p.to)
		}
		pause = maxTrusted * cfg.Interval
	}
	return nil
}

// probeHint is for people who know what their network answers.
const probeHint = "may the SIM's group reach it? If not, set probe.target to what answers there, or to none. " +
	"If so, the bearer carries nothing: the agent dials again, then climbs its ladder of cures"

// defaultProbe is for networks of which nothing is known.
const defaultProbe = "dns"
