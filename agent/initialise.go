package agent

import (
	"context"
	"errors"
	"time"

	"minato/agent/atline"
	"minato/agent/modem"
)

// initialise speaks to a modem that may lose its first command, run at another speed, or still be in a call or in the multiplexer
// of an earlier process.
func (s *session) initialise(ctx context.Context, probe time.Duration) error {
	speeds := s.speeds()
	for try := 0; ; try++ {
		limit := probe
		if try < len(speeds) {
			limit /= 2 // there are many
		}
		pctx, cancel := context.WithTimeout(ctx, limit)
		err := s.modem.Init(pctx)
		cancel()
		silent := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, atline.ErrNoReply)
		if !silent || ctx.Err() != nil {
			return err
		}
		if try < len(speeds) {
			if err := s.port.SetBaud(speeds[try]); err != nil {
				return err
			}
			s.log.Info("the modem is silent: trying another speed", "baud", speeds[try])
			continue
		}
		if try%2 == 1 && s.mux == nil && s.cfg.CMUX != "off" {
			err = leaveMultiplex(ctx, s.raw, s.log)
		} else {
			err = s.modem.Recover(ctx)
		}
		if err != nil && ctx.Err() != nil {
			return err
		}
	}
}

// commonSpeeds are what modems are shipped with, the likeliest first.
var commonSpeeds = []int{115200, 9600, 921600, 460800, 230400, 57600, 38400, 19200}

// speeds are those to try on a UART whose speed is not configured.
func (s *session) speeds() []int {
	if s.uart && s.cfg.detectBaud {
		return commonSpeeds
	}
	return nil
}

func (s *session) identify(ctx context.Context, probe time.Duration) (modem.Identity, error) {
	if err := s.initialise(ctx, probe); err != nil {
		return modem.Identity{}, err
	}
	return s.modem.Identify(ctx)
}
