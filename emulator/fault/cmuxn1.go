package fault

// CMUXN1 is a modem with smaller buffers than it agreed to.
var CMUXN1 = Fault{
	Name: "cmux-n1",
	Doc:  "In multiplexer mode the modem keeps another N1 than was agreed on: of a frame with more information the rest is lost, and the frame does not end where it says.",
	Params: []Param{
		port(),
		number("n1", "octets of information that the modem takes or gives in a frame", 31, 1, 32768),
		choice("direction", "up is from the user, down to the user", "both", "both", "up", "down"),
	},
	Inject: func(t Target, p Params) (func(), error) {
		return t.Wires.tap(p["port"], func(*Wire) *tap {
			up, down := cutter{n1: p.num("n1")}, cutter{n1: p.num("n1")}
			return &tap{
				in: func(b []byte) []byte {
					if p["direction"] == "down" {
						return b
					}
					return up.cut(b[:0], b)
				},
				out: func(b []byte) []piece {
					if p["direction"] == "up" {
						return whole(b)
					}
					return whole(down.cut(nil, b))
				},
			}
		}), nil
	},
}

// cutter loses information beyond N1.
type cutter struct {
	muxScanner
	n1 int
}

// cut appends what is left of b.
func (c *cutter) cut(to, b []byte) []byte {
	for _, x := range b {
		if _, info := c.feed(x); info && c.uih && c.taken > c.n1 {
			continue
		}
		to = append(to, x)
	}
	return to
}
