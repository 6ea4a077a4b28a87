package emulator

import "minato/emulator/dce"

// Card is what the card itself knows of a SIM, and the network does not. The zero value is a card without a lock.
type Card struct {
	PIN      string // 4 to 8 digits; "": the lock is off, and 0000 is what puts it on
	PUK      string // 8 digits; "": 12345678
	PIN2     string // 4 to 8 digits; "": 1234
	PUK2     string // 8 digits; "": 12345678
	SPN      string // name of the service provider, up to 16 characters; "": none
	DataOnly bool   // a subscription without circuit-switched services: +CREG tells of a refusal while the rest is registered
}

// card is that of SIM n as the modem takes it.
func (cfg *Config) card(n int) dce.SIMCard {
	if n >= len(cfg.Cards) {
		return dce.SIMCard{}
	}
	c := cfg.Cards[n]
	return dce.SIMCard{PIN: c.PIN, PUK: c.PUK, PIN2: c.PIN2, PUK2: c.PUK2, SPN: c.SPN, DataOnly: c.DataOnly}
}
