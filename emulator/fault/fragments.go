package fault

import "time"

// Fragments are what a slow UART makes of an answer.
var Fragments = Fault{
	Name: "fragments",
	Doc:  "What the modem says comes in fragments, of one byte each if not told otherwise.",
	Params: []Param{
		port(),
		number("size", "bytes in a fragment", 1, 1, 4096),
		duration("gap", "the silence before each", time.Millisecond, 0, time.Second),
		boolean("data", "data calls, too; if not, command state only", false),
	},
	Inject: func(t Target, p Params) (func(), error) {
		size, gap, data := p.num("size"), p.dur("gap"), p.is("data")
		return t.Wires.tap(p["port"], func(w *Wire) *tap {
			return &tap{out: func(b []byte) []piece {
				if w.online.Load() && !data {
					return whole(b)
				}
				var pieces []piece
				for ; len(b) > size; b = b[size:] {
					pieces = append(pieces, piece{gap, b[:size]})
				}
				return append(pieces, piece{gap, b})
			}}
		}), nil
	},
}
