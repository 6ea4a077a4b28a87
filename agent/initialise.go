package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minato/agent/atline"
	"minato/agent/modem"
)

// initialise speaks to a modem that may lose its first command, run at another speed, or still be in a call or in the multiplexer
// of an earlier process. It goes on until ctx ends: the modem may also be booting.
func (s *session) initialise(ctx context.Context, probe time.Duration) error {
	speeds, glance := s.speeds(), probe
	if len(speeds) > 1 {
		glance /= 2 // there are many
	}
	for pass := 0; ; pass++ {
		for i, baud := range speeds {
			if err := s.setSpeed(baud); err != nil {
				return err
			}
			err := s.tryInit(ctx, glance)
			if i == 0 && isSilence(err) && ctx.Err() == nil { // the command may be lost, or its answer late
				err = s.tryInit(ctx, glance)
			}
			if !isSilence(err) || ctx.Err() != nil {
				return err
			}
			if i > 0 && baud == speeds[0] {
				continue
			}
			if s.leaveMultiplex(ctx) {
				if err := s.tryInit(ctx, probe); !isSilence(err) || ctx.Err() != nil {
					return err
				}
				if err := s.stayMultiplexed(ctx, probe); !isSilence(err) || ctx.Err() != nil {
					return err
				}
			}
			// An escape takes seconds. That the modem has another speed is likelier than that it is in a call at that one.
			if i > 0 && pass == 0 {
				continue
			}
			s.recover(ctx) // whether it was of use, the next command tells
			if err := s.tryInit(ctx, probe); !isSilence(err) || ctx.Err() != nil {
				return err
			}
		}
	}
}

// lateTries is how often a modem that answers late is prepared: once more than it takes, since it may lose a command, too.
const lateTries = 2

func (s *session) tryInit(ctx context.Context, limit time.Duration) error {
	try, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := s.modem.Init(try)
	if !errors.Is(err, atline.ErrLate) {
		return err
	}
	for range lateTries { // it is there, at this speed, and has only to be waited for
		if err = s.modem.Init(ctx); !isSilence(err) || ctx.Err() != nil {
			break
		}
	}
	return err
}

// isSilence tells a modem that does not answer from one that answers badly.
func isSilence(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, atline.ErrNoReply)
}

// recoverTimeout is an escape with its guard times, and ATH.
const recoverTimeout = 5 * time.Second

func (s *session) recover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, recoverTimeout)
	defer cancel()
	return s.modem.Recover(ctx)
}

// leaveMultiplex is false where the modem is in no multiplexer.
func (s *session) leaveMultiplex(ctx context.Context) bool {
	return s.mux == nil && s.cfg.CMUX != "off" && leaveMultiplex(ctx, s.raw, s.log)
}

// stayMultiplexed goes on in the multiplexer of an earlier process, which some modems leave only by a restart.
func (s *session) stayMultiplexed(ctx context.Context, probe time.Duration) error {
	x, err := resumeMultiplex(ctx, s.raw, s.log)
	if err != nil {
		return fmt.Errorf("%w after it left the multiplexer: %w", atline.ErrNoReply, err)
	}
	s.useMultiplex(x)
	if err = s.tryInit(ctx, probe); isSilence(err) {
		s.dropMultiplex()
	}
	return err
}

// commonSpeeds are what modems are shipped with, the likeliest first.
var commonSpeeds = []int{115200, 9600, 921600, 460800, 230400, 57600, 38400, 19200}

// speeds are those to try, the first between any two others: a modem may be booting while the others are tried.
func (s *session) speeds() []int {
	if s.mux != nil { // it was opened at the right one
		return []int{s.baud}
	}
	list := []int{s.cfg.Baud}
	if !s.cfg.detectBaud || !s.hasSpeed {
		return list
	}
	for _, baud := range commonSpeeds {
		if baud != s.cfg.Baud {
			list = append(list, baud, s.cfg.Baud)
		}
	}
	return list
}

// setSpeed changes the port's speed where it is another.
func (s *session) setSpeed(baud int) error {
	if baud == s.baud || !s.hasSpeed {
		return nil
	}
	s.baud = baud
	return s.port.SetBaud(baud)
}

func (s *session) identify(ctx context.Context, probe time.Duration) (modem.Identity, error) {
	if err := s.initialise(ctx, probe); err != nil {
		return modem.Identity{}, err
	}
	return s.modem.Identify(ctx)
}
