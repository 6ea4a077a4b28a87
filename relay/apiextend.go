package relay

import (
	"errors"
	"net/http"
	"time"

	"minato/relay/relayapi"
	"minato/relay/store"
)

// extendPortMapping lets a mapping end so many seconds from now, in place of when it would have. Napter's limit holds for what is left.
func (r *Relay) extendPortMapping(c *call) (any, error) {
	m, err := r.pathMapping(c)
	if err != nil {
		return nil, err
	}
	var body relayapi.ExtendRequest
	if err := decodeBody(c, &body); err != nil {
		return nil, err
	}
	if body.Duration < 1 || body.Duration > maxDuration {
		return nil, badField("duration", body.Duration, "seconds from 1 to %d", maxDuration)
	}
	end := r.cfg.Clock.Now().Truncate(time.Millisecond).Add(time.Duration(body.Duration) * time.Second)
	m, err = r.extendMapping(m, end, c.caller)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, noMapping(c)
	case errors.Is(err, store.ErrConflict):
		return nil, apiErrorf(http.StatusConflict, codeConflict, "the port mapping was changed by somebody else in the meantime: try again")
	case err != nil:
		return nil, err
	}
	a := r.mappingAnswer(m)
	a.Warnings = warningsOf(m, c.caller.Addr(), c.lang())
	return a, nil
}
