package dce

import (
	"strconv"

	"minato/agent/ppp"
)

// use has a context used from now on.
func (x *exchange) use(c *pdpContext) result {
	x.m.mu.Lock()
	used, registered := c.session != nil, x.m.reg.stat.registered()
	x.m.mu.Unlock()
	switch {
	case used:
		return resultOK
	case !registered:
		return cmeError(cmeNoNetwork)
	}
	x.wait(x.m.personality.Delays.Activate)
	if _, err := x.m.activate(x.ctx, c.cid, ppp.Credentials{}, nil); err != nil {
		return activationError(err)
	}
	return resultOK
}

// connect has the modem's own interface use a context, by its number; "": none.
func (x *exchange) connect(cid string) result {
	if cid == "" {
		return resultOK
	}
	x.m.mu.Lock()
	c := x.m.contextLocked(cid)
	x.m.mu.Unlock()
	if c == nil {
		return cmeError(cmeIncorrectParams)
	}
	return x.use(c)
}

// disconnect ends that. The context may be used no more; the default bearer stays.
func (x *exchange) disconnect(cid string) result {
	if cid == "" {
		return resultOK
	}
	x.m.mu.Lock()
	c := x.m.contextLocked(cid)
	x.m.mu.Unlock()
	if c == nil {
		return cmeError(cmeIncorrectParams)
	}
	x.m.deactivate(c, "disconnected by a command", "+CGEV-deact")
	return resultOK
}

// contextLocked is the context of that number; nil: it is not defined.
func (m *Modem) contextLocked(cid string) *pdpContext {
	n, err := strconv.Atoi(cid)
	if err != nil {
		return nil
	}
	return m.contexts[n]
}
