package ppp

import "encoding/binary"

const (
	defaultMRU  = 1500           // RFC 1661 section 6.1
	minMRU      = 128            // below this, IPv4 itself does not work
	defaultACCM = 0xffff_ffff    // RFC 1662 section 7.1
	maxLoops    = maxFailure - 1 // requests with our own magic number before the line is held to be looped back
)

// lcpPolicy is LCP's side of both ends. What the peer asked for in its last request is in peer.
type lcpPolicy struct {
	mru    uint16       // what we take
	accm   uint32       // what must be escaped towards us
	demand AuthProtocol // what the peer must authenticate with
	server bool
	random func() uint32 // magic numbers

	// What we ask for in this negotiation.
	ask   map[byte]bool
	auth  AuthProtocol
	magic uint32

	peer  lcpPeer
	loops int
}

// lcpPeer is what a Configure-Request says of the peer.
type lcpPeer struct {
	mru       uint16
	accm      uint32
	auth      AuthProtocol // what we must authenticate with
	magic     uint32
	pfc, acfc bool
}

func (l *lcpPolicy) reset() {
	l.ask = map[byte]bool{
		optMRU: l.mru != defaultMRU, optACCM: true, optAuthProtocol: l.demand != AuthNone,
		optMagicNumber: true, optPFC: true, optACFC: true,
	}
	l.auth = l.demand
	l.newMagic()
	l.loops = 0
}

func (l *lcpPolicy) newMagic() {
	for l.magic = 0; l.magic == 0; { // zero means none (RFC 1661 section 6.4)
		l.magic = l.random()
	}
}

func (l *lcpPolicy) request() []option {
	var opts []option
	for _, o := range []option{
		uint16Option(optMRU, l.mru),
		uint32Option(optACCM, l.accm),
		authOption(l.auth),
		uint32Option(optMagicNumber, l.magic),
		{kind: optPFC},
		{kind: optACFC},
	} {
		if l.ask[o.kind] {
			opts = append(opts, o)
		}
	}
	return opts
}

func (l *lcpPolicy) nak(opts []option) {
	for _, o := range opts {
		switch o.kind {
		case optMRU:
			if v, ok := o.uint16(); ok && v >= minMRU && v < l.mru {
				l.mru, l.ask[optMRU] = v, true
			}
		case optACCM:
			if v, ok := o.uint32(); ok {
				l.accm |= v // the peer's line may need more escaping than ours
			}
		case optAuthProtocol:
			if auth, ok := parseAuth(o); ok && l.ask[optAuthProtocol] {
				l.auth = auth
			}
		case optMagicNumber:
			l.newMagic()
		}
	}
}

// reject drops the options. A peer that refuses to authenticate is let in, as modems do: the network decides afterwards.
func (l *lcpPolicy) reject(opts []option) {
	for _, o := range opts {
		l.ask[o.kind] = false
		switch o.kind {
		case optAuthProtocol:
			l.auth = AuthNone
		case optMagicNumber:
			l.magic = 0
		}
	}
}

func (l *lcpPolicy) judge(opts []option) verdict {
	peer := lcpPeer{mru: defaultMRU, accm: defaultACCM}
	var v verdict
	for _, o := range opts {
		known := true
		switch o.kind {
		case optMRU:
			if peer.mru, known = o.uint16(); known && peer.mru < minMRU {
				v.nak = append(v.nak, uint16Option(optMRU, minMRU))
			}
		case optACCM:
			peer.accm, known = o.uint32()
		case optMagicNumber:
			if peer.magic, known = o.uint32(); known && (peer.magic == 0 || peer.magic == l.magic) {
				if peer.magic != 0 {
					l.loops++
				}
				v.nak = append(v.nak, uint32Option(optMagicNumber, l.random()|1))
			}
		case optAuthProtocol:
			if known = !l.server; known {
				var ok bool
				if peer.auth, ok = parseAuth(o); !ok {
					v.nak = append(v.nak, authOption(AuthCHAP))
				}
			}
		case optPFC:
			known = len(o.data) == 0
			peer.pfc = known
		case optACFC:
			known = len(o.data) == 0
			peer.acfc = known
		default:
			known = false
		}
		if !known {
			v.reject = append(v.reject, o)
		}
	}
	if len(v.nak)+len(v.reject) == 0 {
		l.peer = peer
	}
	return v
}

// number is the protocol that a is spoken in.
func (a AuthProtocol) number() Protocol {
	if a == AuthCHAP {
		return ProtoCHAP
	}
	return ProtoPAP
}

func authOption(a AuthProtocol) option {
	o := uint16Option(optAuthProtocol, uint16(a.number()))
	if a == AuthCHAP {
		o.data = append(o.data, chapMD5)
	}
	return o
}

func parseAuth(o option) (AuthProtocol, bool) {
	switch {
	case len(o.data) == 2 && Protocol(binary.BigEndian.Uint16(o.data)) == ProtoPAP:
		return AuthPAP, true
	case len(o.data) == 3 && Protocol(binary.BigEndian.Uint16(o.data)) == ProtoCHAP && o.data[2] == chapMD5:
		return AuthCHAP, true
	}
	return AuthNone, false
}
