package emulator

import "minato/emulator/dce"

// Card is what the card itself knows of a SIM, and the network does not. The zero value is a card without a lock.
type Card = dce.Card

// card is that of SIM n.
func (cfg *Config) card(n int) Card {
	if n >= len(cfg.Cards) {
		return Card{}
	}
	return cfg.Cards[n]
}
