package fault

import "math/rand/v2"

// FCSErrors is a line with noise on it.
var FCSErrors = Fault{
	Name: "fcs-errors",
	Doc:  "In data calls a bit is flipped in some of the PPP frames, so that their FCS is wrong and the receiver throws them away.",
	Params: []Param{
		port(),
		number("rate", "frames that are hit, in per cent", 10, 1, 100),
		choice("direction", "up is from the user, down to the user", "both", "both", "up", "down"),
		number("seed", "of the random choice: the same seed hits the same frames", 1, 0, 1<<31-1),
	},
	Inject: func(t Target, p Params) (func(), error) {
		return t.Wires.tap(p["port"], func(w *Wire) *tap {
			up, down := newSpoiler(p, 0), newSpoiler(p, 1)
			return &tap{
				in: func(b []byte) []byte {
					if w.online.Load() && p["direction"] != "down" {
						up.spoil(b)
					}
					return b
				},
				out: func(b []byte) []piece {
					if !w.online.Load() || p["direction"] == "up" {
						return whole(b)
					}
					spoilt := append([]byte(nil), b...)
					down.spoil(spoilt)
					return whole(spoilt)
				},
			}
		}), nil
	},
}

// spoiler flips bits in one direction of a line.
type spoiler struct {
	rate   int
	random *rand.Rand

	position int // octets since the last flag
	hit      bool
	escaped  bool
}

func newSpoiler(p Params, direction uint64) *spoiler {
	return &spoiler{rate: p.num("rate"), random: rand.New(rand.NewPCG(uint64(p.num("seed")), direction))}
}

// The octets of RFC 1662 section 4.
const (
	flagOctet   = 0x7e
	escapeOctet = 0x7d
)

// spoil changes b in place. It leaves the frame's shape alone: flags and escapes stay what they are.
func (s *spoiler) spoil(b []byte) {
	for i, c := range b {
		if c == flagOctet {
			s.position, s.hit, s.escaped = 0, s.random.IntN(100) < s.rate, false
			continue
		}
		s.position++
		after := s.escaped
		s.escaped = c == escapeOctet
		spoilt := c ^ 1
		if !s.hit || s.position < 3 || after || s.escaped || spoilt == flagOctet || spoilt == escapeOctet {
			continue
		}
		b[i], s.hit = spoilt, false
	}
}
