package fault

// BaudMismatch is a modem that talks at another speed.
var BaudMismatch = Fault{
	Name: "baud-mismatch",
	Doc:  "The modem's UART runs at a speed of its own: as long as the user has set another on the port, each side sees garbage. Sockets have no speed and are left alone.",
	Params: []Param{
		port(),
		number("baud", "the modem's speed in bit/s", 9600, 50, 4_000_000),
	},
	Inject: func(t Target, p Params) (func(), error) {
		baud := p.num("baud")
		return t.Wires.tap(p["port"], func(w *Wire) *tap {
			line, ok := w.line.(timed)
			differs := func() bool {
				if !ok {
					return false
				}
				speed, err := line.Speed()
				return err == nil && speed != baud
			}
			return &tap{
				in: func(b []byte) []byte {
					if differs() {
						garble(b, b)
					}
					return b
				},
				out: func(b []byte) []piece {
					if !differs() {
						return whole(b)
					}
					garbled := make([]byte, len(b))
					garble(garbled, b)
					return whole(garbled)
				},
			}
		}), nil
	},
}

// garble makes of each byte what a UART at another speed does: long runs of one level. None is a letter, with parity or without.
func garble(to, from []byte) {
	noise := [...]byte{0x00, 0x80, 0xe0, 0xf8, 0xfe, 0x1c}
	for i, b := range from {
		to[i] = noise[int(b)%len(noise)]
	}
}
