package agent

import "time"

// A ladder decides what is done between two rounds: how long to wait, and which cure to try. It climbs one step after as many
// failures as Cures.Tries, from CureRedial to CurePowerCycle as far as the cause allows, and comes down when a link was stable.
//
//	failure, failure -> reattach -> failure, failure -> radio -> ... -> reset -> ... -> power-cycle -> power-cycle ...
//	                                                                    `-- not more often than Cures.ResetInterval, doubling
type ladder struct {
	backoff  BackoffConfig
	cures    CuresConfig
	rand     func() float64
	now      func() time.Time
	state    *stateFile // remembers restarts
	failures int        // in a row
	tries    int        // on this step
	step     Cure
	redialed bool // the pause-free redial was used since the last stable link
}

// next tells what to do after a round that failed, or whose link, up for up, was lost.
func (l *ladder) next(up time.Duration, f *Failure) (pause time.Duration, cure Cure) {
	if up >= l.backoff.Stable {
		l.failures, l.tries, l.step, l.redialed = 0, 0, CureRedial, false
		l.state.clearResets(l.interval)
	}
	if f.Class == ClassPerson {
		l.failures++
		pause = l.jitter(l.backoff.Max)
		if f.Code == NotRegistered && l.failures > l.cures.Tries {
			// A modem that was refused as illegal asks again only after a restart (24.301, 5.5.1.2.5), whoever corrected the contract.
			cure = l.permitted(CureReset, CureReset)
		}
		return pause, cure
	}
	if up > 0 && !l.redialed { // most lost links come back at the first dial
		l.redialed = true
		return 0, CureRedial
	}
	pause = l.jitter(l.pause())
	l.failures++
	return pause, l.climb(f)
}

// pause doubles from Min to Max.
func (l *ladder) pause() time.Duration {
	d := l.backoff.Min
	for range l.failures {
		if d >= l.backoff.Max/2 {
			return l.backoff.Max
		}
		d *= 2
	}
	return d
}

// jitter takes up to a half off, so that a thousand devices behind one cell do not come back together.
func (l *ladder) jitter(d time.Duration) time.Duration {
	return d/2 + time.Duration(l.rand()*float64(d/2))
}

// climb notes a failure on this step, and gives the cure.
func (l *ladder) climb(f *Failure) Cure {
	can, ok := curable[f.Code]
	if f.Class == ClassReset {
		can.first, can.last, ok = CureReset, CurePowerCycle, true
		first := CureReset
		if f.deaf() && l.canPowerCycle() {
			first = CurePowerCycle // it would not hear the command
		}
		if l.step < first {
			l.step, l.tries = first, 0
		}
	}
	if !ok {
		return CureRedial
	}
	if l.tries++; l.tries > l.cures.Tries {
		l.tries = 1
		l.step = min(max(l.step+1, can.first), CurePowerCycle)
	}
	return l.permitted(min(l.step, can.last), can.first)
}

// permitted gives the gentler cure where a restart of the modem is not possible, or would come too early after the last one.
func (l *ladder) permitted(cure, first Cure) Cure {
	if cure == CurePowerCycle && !l.canPowerCycle() {
		cure = CureReset
		if first == CurePowerCycle {
			return CureRedial
		}
	}
	if cure >= CureReset && !l.state.mayReset(l.now(), l.interval) {
		cure = CureRedial
		if first <= CureRadio {
			cure = CureRadio
		}
	}
	return cure
}

// canPowerCycle tells whether there is a command that can be started; one that is not there leaves the modem's own restart.
func (l *ladder) canPowerCycle() bool {
	return len(l.cures.PowerCycle) > 0 && l.cures.CheckPowerCycle() == nil
}

// interval is how long after the nth restart in a row the next one may come.
func (l *ladder) interval(n int) time.Duration {
	d := l.cures.ResetInterval
	for i := 1; i < n; i++ {
		if d >= l.cures.MaxResetInterval/2 {
			return l.cures.MaxResetInterval
		}
		d *= 2
	}
	return d
}

// restarted notes a restart of the modem.
func (l *ladder) restarted() error { return l.state.addReset(l.now(), l.nextInterval) }

// beginPowerCycle notes a restart whose end is noted, too.
func (l *ladder) beginPowerCycle() error { return l.state.beginPowerCycle(l.now(), l.nextInterval) }

// nextInterval is interval with a jitter, which makes it up to a quarter longer, never shorter.
func (l *ladder) nextInterval(n int) time.Duration {
	d := l.interval(n)
	return d + time.Duration(l.rand()*float64(d/4))
}
