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

// connect has the modem's own interface use a context, by its number. One that a call has is not for it.
func (x *exchange) connect(cid string) result {
	c, called := x.m.contextOf(cid)
	switch {
	case c == nil:
		return cmeError(cmeIncorrectParams)
	case called:
		return cmeError(cmeNotAllowed)
	}
	return x.use(c)
}

// disconnect ends that. The context may be used no more; the default bearer stays.
func (x *exchange) disconnect(cid string) result {
	c, called := x.m.contextOf(cid)
	switch {
	case c == nil:
		return cmeError(cmeIncorrectParams)
	case !called:
		x.m.deactivate(c, "disconnected by a command", "+CGEV-deact")
	}
	return resultOK
}

// contextOf is the context of that number, nil where it is not defined, and whether a call has it.
func (m *Modem) contextOf(cid string) (c *pdpContext, called bool) {
	n, err := strconv.Atoi(cid)
	if err != nil {
		return nil, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c = m.contexts[n]
	return c, c != nil && c.call != nil
}
