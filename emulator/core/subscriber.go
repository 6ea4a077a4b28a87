package core

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"minato/agent/netstack/capture"
)

const defaultAPN = "soracom.io"

// Subscriber is one SIM as the network knows it.
type Subscriber struct {
	SIMID    string // what an API user calls the SIM; by default the ICCID
	IMSI     string // 15 digits
	ICCID    string // 19 or 20 digits
	MSISDN   string
	APN      string // the one access point name that it may use; "": soracom.io
	User     string // "": no PPP authentication is checked. Otherwise a session needs it, by PAP or CHAP
	Password string
	Addr     netip.Addr // fixed address; zero: one from the pool
	MTU      int        // of its sessions; 0: Config.MTU
	Shape    Shape      // of its link at first; SetShape changes it
}

// DefaultSubscriber makes the n-th (from 0) sample subscriber: IMSI 440101234567890 + n, a valid ICCID, APN soracom.io, user and password sora.
func DefaultSubscriber(n int) Subscriber { return DefaultSubscriberOf("44010", n) }

// DefaultSubscriberOf makes it a subscriber of the network with that PLMN, of 5 or 6 digits: the IMSI begins so, the rest is the same.
func DefaultSubscriberOf(plmn string, n int) Subscriber {
	iccid := fmt.Sprintf("898110%012d", n) // ITU-T E.118: 89 telecom, 81 Japan
	iccid += string(rune('0' + luhn(iccid)))
	return Subscriber{
		SIMID: iccid, IMSI: plmn + fmt.Sprintf("%010d", 1234567890+int64(n))[len(plmn)-5:], ICCID: iccid, MSISDN: fmt.Sprintf("8120%08d", n),
		APN: defaultAPN, User: "sora", Password: "sora",
	}
}

// luhn gives the check digit (ISO/IEC 7812-1) that makes digits complete.
func luhn(digits string) int {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return (10 - sum%10) % 10
}

// SubscriberStatus is a subscriber with what the network knows of it at the moment.
type SubscriberStatus struct {
	Subscriber
	IMEI     string
	Attached bool
	Online   bool // has a session
	Session  SessionInfo
}

// subscriber is the network's record. Core.mu guards all but the first two.
type subscriber struct {
	Subscriber
	iface    int // of the captures: they have the same ones
	imei     string
	attached bool
	bearer   netip.Addr // kept for it since the attach; zero: the first session takes one
	session  *Session   // nil: offline
	sessions int        // how many there were
}

// addSubscriber is called by New only.
func (c *Core) addSubscriber(s Subscriber) error {
	if s.SIMID == "" {
		s.SIMID = s.ICCID
	}
	if s.APN == "" {
		s.APN = defaultAPN
	}
	if err := s.validate(); err != nil {
		return err
	}
	for _, other := range c.subs {
		switch {
		case strings.EqualFold(other.SIMID, s.SIMID):
			return fmt.Errorf("SIM id %q is another subscriber's", s.SIMID)
		case other.IMSI == s.IMSI:
			return fmt.Errorf("IMSI %q is another subscriber's", s.IMSI)
		case s.ICCID != "" && other.ICCID == s.ICCID:
			return fmt.Errorf("ICCID %q is another subscriber's", s.ICCID)
		case s.Addr.IsValid() && other.Addr == s.Addr:
			return fmt.Errorf("address %q is another subscriber's", s.Addr)
		}
	}
	if s.Addr.IsValid() {
		if c.pool.excluded[s.Addr] {
			return fmt.Errorf("address %q is the network's own", s.Addr)
		}
		c.pool.exclude(s.Addr)
	}
	sub := &subscriber{Subscriber: s}
	for _, w := range []*capture.Writer{c.capture, c.capturePPP} {
		if w == nil {
			continue
		}
		iface, err := w.Interface(s.SIMID, "IMSI "+s.IMSI)
		if err != nil {
			return err
		}
		sub.iface = iface
	}
	c.subs = append(c.subs, sub)
	c.bySIM[strings.ToLower(s.SIMID)] = sub
	c.byIMSI[s.IMSI] = sub
	return nil
}

func (s *Subscriber) validate() error {
	switch {
	case len(s.IMSI) != 15 || !isDigits(s.IMSI):
		return fmt.Errorf("IMSI %q: want 15 digits", s.IMSI)
	case s.ICCID != "" && (len(s.ICCID) < 19 || len(s.ICCID) > 20 || !isDigits(s.ICCID)):
		return fmt.Errorf("ICCID %q: want 19 or 20 digits", s.ICCID)
	case s.SIMID == "":
		return errors.New("a SIM id or an ICCID is needed")
	case !isLabel(s.SIMID):
		return fmt.Errorf("SIM id %q: want at most 63 letters, digits, hyphens and underscores", s.SIMID)
	case s.MSISDN != "" && (len(s.MSISDN) > 15 || !isDigits(s.MSISDN)):
		return fmt.Errorf("MSISDN %q: want at most 15 digits", s.MSISDN)
	case len(s.APN) > 100: // 3GPP TS 23.003 section 9.1
		return fmt.Errorf("APN %q: want at most 100 characters", s.APN)
	case s.User == "" && s.Password != "":
		return errors.New("a password without a user")
	case s.Addr.IsValid() && (!s.Addr.Is4() || s.Addr.IsUnspecified() || s.Addr.IsMulticast() || s.Addr.IsLoopback()):
		return fmt.Errorf("address %q: want an IPv4 host address", s.Addr)
	}
	if s.MTU != 0 && (s.MTU < minMTU || s.MTU > mtu) {
		return fmt.Errorf("MTU %d: want %d to %d", s.MTU, minMTU, mtu)
	}
	if err := s.Shape.validate(); err != nil {
		return fmt.Errorf("shape: %w", err)
	}
	return nil
}

func isDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// isLabel tells whether s can be the first label of a door's name.
func isLabel(s string) bool {
	return len(s) > 0 && len(s) <= 63 && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_')
	}) < 0
}

// Subscribers tells of all as of now, in the order of the configuration.
func (c *Core) Subscribers() []SubscriberStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]SubscriberStatus, len(c.subs))
	for i, s := range c.subs {
		list[i] = SubscriberStatus{Subscriber: s.Subscriber, IMEI: s.imei, Attached: s.attached}
		if s.session != nil && !s.session.ending() {
			list[i].Online = true
			list[i].Session = s.session.Info()
		}
	}
	return list
}
