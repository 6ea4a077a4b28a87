package cmux

import (
	"log/slog"
	"time"
)

// Role says which end of the line this is. It decides the C/R bits and who opens.
type Role int

const (
	Initiator Role = iota // sent AT+CMUX, and opens the channels
	Responder             // the modem
)

const (
	defaultN1 = 31
	defaultN2 = 3
	// The standard's 100 ms and 300 ms are less than what modems take that answer from a busy task, or behind a queued frame on a
	// slow line. A repetition too many does little harm, but a channel given up does.
	defaultT1 = 300 * time.Millisecond
	defaultT2 = 600 * time.Millisecond
)

// Config describes one end. The zero value is an initiator with the values of a plain AT+CMUX=0.
type Config struct {
	Role Role

	N1 int           // longest information field that we send, AT+CMUX's N1; 0: 31
	T1 time.Duration // until an unanswered SABM or DISC is repeated; 0: 300 ms
	T2 time.Duration // until an unanswered command on the control channel is repeated; 0: 600 ms
	N2 int           // repetitions; 0: 3, negative: none

	// Negotiate is the N1 that an initiator asks for by PN before it opens a channel; 0: no PN. A modem that does not know PN
	// leaves the channel with N1.
	Negotiate int

	// Accept says whether a responder lets its peer open a channel; nil: all from 1 to 61. It is called by the reader, so that it
	// must not wait.
	Accept func(dlci byte) bool

	Logger *slog.Logger // nil: silent
}

func (cfg Config) withDefaults() Config {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.N1 <= 0 {
		cfg.N1 = defaultN1
	}
	cfg.N1 = min(cfg.N1, MaxInfo)
	cfg.Negotiate = min(max(cfg.Negotiate, 0), MaxInfo)
	if cfg.T1 <= 0 {
		cfg.T1 = defaultT1
	}
	if cfg.T2 <= 0 {
		cfg.T2 = defaultT2
	}
	switch {
	case cfg.N2 == 0:
		cfg.N2 = defaultN2
	case cfg.N2 < 0:
		cfg.N2 = 0
	}
	if cfg.Accept == nil {
		cfg.Accept = func(byte) bool { return true }
	}
	return cfg
}
