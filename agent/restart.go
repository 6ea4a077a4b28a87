package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"minato/agent/cmux"
)

// errLeftMultiplex is how a restart looks that the modem does not speak of, or not in frames.
var errLeftMultiplex = errors.New("the modem does not answer in the multiplexer any more: it restarted by itself, or hangs")

// restartHint is for undervoltage, the usual reason: the radio draws most at registration and dial.
const restartHint = "if it does so again, check its power supply and the cable: it draws most when it registers and dials"

// isRestart tells that the modem began anew, so that what was set is forgotten and nothing that was asked is answered.
func isRestart(err error) bool {
	return errors.Is(err, errRebooted) || errors.Is(err, errSwitchedOff) || errors.Is(err, errLeftMultiplex)
}

// beginNames are the announcements that come once in a start, and before the modem answers. APP RDY follows RDY, and ^BOOT comes from modems that
// go on running, too: they end a link, which can be dialled again, but no dial.
var beginNames = map[string]bool{"RDY": true, "START": true}

// attended is a step that ends when the modem begins anew: nobody answers then what it has asked, and a registration or a dial may wait for three
// minutes.
func attended(do func(*round, context.Context) error) func(*round, context.Context) error {
	return func(r *round, ctx context.Context) error {
		s := r.session
		ctx, end := context.WithCancelCause(ctx)
		var g sync.WaitGroup
		var said error // of the goroutine, until it has ended
		g.Go(func() {
			select {
			case said = <-s.begun:
				end(said)
			case <-ctx.Done():
			}
		})
		if x := s.mux; x != nil {
			g.Go(func() {
				if err := x.attend(ctx, r.agent.timing.watch); err != nil {
					end(err)
				}
			})
		}
		err := do(r, ctx)
		end(nil)
		g.Wait()
		if said != nil { // also when the step had ended already: nobody else hears it
			return said
		}
		if began := context.Cause(ctx); isRestart(began) {
			return began
		}
		return err
	}
}

// maxUnanswered is how many questions in a row the multiplexer of a busy modem may leave unanswered, each with its repetitions.
const maxUnanswered = 3

// attend returns when ctx ends, or with an error when the peer, which has answered before, does so no more.
func (x *multiplex) attend(ctx context.Context, pause time.Duration) error {
	for missed := 0; ; {
		err := x.mux.Ping(ctx)
		switch {
		case err == nil:
			x.answers.Store(true)
			missed = 0
			if !pauseUntil(ctx, pause) {
				return nil
			}
		case ctx.Err() != nil, !x.answers.Load(), !errors.Is(err, cmux.ErrNoAnswer): // the end of the multiplexer is its channels' too
			return nil
		default:
			if missed++; missed == maxUnanswered {
				return errLeftMultiplex
			}
		}
	}
}
