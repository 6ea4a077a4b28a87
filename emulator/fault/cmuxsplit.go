package fault

import "time"

// CMUXSplit is what SIMCom's SIM7600 was seen to do.
var CMUXSplit = Fault{
	Name: "cmux-split",
	Doc:  "In multiplexer mode the header of each frame and its information come apart, with a silence in between.",
	Params: []Param{
		port(),
		duration("gap", "the silence", 20*time.Millisecond, 0, time.Second),
	},
	Inject: func(t Target, p Params) (func(), error) {
		return t.Wires.tap(p["port"], func(*Wire) *tap {
			var s muxScanner
			return &tap{out: func(b []byte) []piece {
				var pieces []piece
				begin, gap := 0, time.Duration(0)
				for i, c := range b {
					if header, _ := s.feed(c); header {
						pieces = append(pieces, piece{gap, b[begin : i+1]})
						begin, gap = i+1, p.dur("gap")
					}
				}
				if begin < len(b) {
					pieces = append(pieces, piece{gap, b[begin:]})
				}
				return pieces
			}}
		}), nil
	},
}
