package splice

import (
	"errors"
	"net"
	"slices"
	"syscall"
	"time"
)

// report takes how a direction ended. The second to end, or the first that broke while it was read from, ends the session: then it is over.
func (s *Session) report(o outcome) (over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		if end, err := o.end(&s.up); s.inferred && end == s.ended && errors.Is(err, syscall.ETIMEDOUT) {
			s.err = err // no reset, then
		}
		return true
	}
	if s.ended != 0 {
		s.endLocked(overruled(s.ended, s.err, o, &s.up))
		return true
	}
	s.inferred = o.inferred
	s.ended, s.err = o.end(&s.up)
	s.quiet, s.unsent = s.sinceMoved(), unsent(s.target) // before the end counts as a movement, and is passed on
	switch {
	case o.read && s.err != nil:
		s.endLocked(s.ended, s.err) // nothing more can come from there, and nothing go there
	case s.cfg.CloseTimeout > 0:
		s.touch()
		s.limitLocked(s.cfg.CloseTimeout)
	}
	return s.over
}

// limitLocked bounds silence from now on; 0: not at all.
func (s *Session) limitLocked(limit time.Duration) {
	s.limit = limit
	switch {
	case limit == 0:
	case s.silence == nil:
		s.silence = time.AfterFunc(limit, s.silent)
	default:
		s.silence.Reset(limit)
	}
}

// silent ends the session if no byte has moved for the limit.
func (s *Session) silent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	left := s.limit - s.sinceMoved()
	switch {
	case left > 0:
		s.silence.Reset(left)
	case s.ended != 0:
		s.endLocked(s.ended, s.err)
	default:
		s.endLocked(Idle, nil)
	}
}

func (s *Session) end(end End, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(end, err)
}

// endLocked starts the end, once.
func (s *Session) endLocked(end End, err error) {
	if s.over {
		return
	}
	s.over = true
	s.stopCut()
	if s.silence != nil {
		s.silence.Stop()
	}
	s.cfg.Go(func() { s.finish(end, err) }) // ends once the directions have ended, with done
}

// finish closes the connections, waits for the directions and tells the result.
func (s *Session) finish(end End, err error) {
	quiet, left := s.sinceMoved(), unsent(s.target)
	s.mu.Lock()
	if left > 0 && s.unsent > 0 && s.quiet > quiet { // bytes waited when the first side ended, and still do
		quiet = s.quiet
	}
	s.mu.Unlock()
	s.stopping.Store(true)
	if end == TargetError && s.cfg.CloseClient != nil {
		s.target.Close()
		s.unpark()
		s.interrupt()
		s.cfg.CloseClient(s.client)
	} else {
		s.close()
		s.unpark()
		s.copying.Wait()
	}
	s.mu.Lock()
	if s.inferred && end == s.ended { // all that was to be reported has been
		err = s.err
	}
	s.mu.Unlock()
	s.done(Result{Stats: s.Stats(), End: end, Err: err, Duration: time.Since(s.start), Quiet: quiet, Unsent: left})
}

// unpark ends the directions that are parked. From stopping on none parks anew.
func (s *Session) unpark() {
	for _, d := range []*direction{&s.up, &s.down} {
		if d.spot.leave() {
			s.copying.Done()
		}
	}
}

// overruled is how a session ended whose directions ended as end and then as last. The kernel tells of a reset or a timeout once: where one
// direction heard of it, the other took it for an orderly end. (After an orderly end a reset is EPIPE.)
func overruled(end End, err error, last outcome, up *direction) (End, error) {
	second, why := last.end(up)
	sameSide := end == TargetClosed && second == TargetError || end == ClientClosed && second == ClientError
	if sameSide && errors.Is(why, syscall.ECONNRESET) || errors.Is(why, syscall.ETIMEDOUT) {
		return second, why
	}
	return end, err
}

// interrupt makes the copying let go of the client and waits for it. It is told again and again, since a copy in the middle of a burst sets
// deadlines of its own.
func (s *Session) interrupt() {
	gone := make(chan struct{})
	go func() { s.copying.Wait(); close(gone) }() // ends before this function does
	again := time.NewTicker(burst / 10)
	defer again.Stop()
	for {
		s.client.SetDeadline(past) // if this fails the client is broken, and lets go by itself
		select {
		case <-gone:
			s.client.SetDeadline(time.Time{})
			return
		case <-again.C:
		}
	}
}

// close closes both sides, the one without TLS first: a tls.Conn's Close may wait for a peer that takes no more bytes.
func (s *Session) close() {
	sides := []net.Conn{s.client, s.target}
	if isTLS(s.client) {
		slices.Reverse(sides)
	}
	for _, c := range sides {
		c.Close()
	}
}
