package relay

import (
	"context"
	"errors"
	"net"

	"minato/relay/store"
)

// spend uses up a one-time mapping: of all the connections that try, on any node, one may go on. False: the connection has been ended.
func (c *connection) spend(ctx context.Context, client, target net.Conn) bool {
	pm := c.mapping
	if !pm.OneTime {
		return true
	}
	err := context.Cause(ctx)
	if err == nil {
		_, err = pm.relay.carry(func() (store.Mapping, error) { return pm.spend(ctx, c.id) })
	}
	if err == nil && ctx.Err() == nil {
		return true
	}
	target.Close()
	switch m := pm.mapping(); {
	case ctx.Err() != nil:
		c.closedBy(ctx)
	case !errors.Is(err, store.ErrNotFound):
		pm.log.Error("using up a one-time mapping", "error", err)
		c.closed(sayError(err))
		closeClient(client, c.relay.cfg.RefusalTimeout)
	case m.Expired(c.relay.cfg.Clock.Now()):
		c.refuseWith(client, store.Denied, CauseExpired, sayEnded(m.ExpiresAt))
	default:
		c.refuseWith(client, store.Denied, CauseExpired, say(wordUsed))
	}
	return false
}

// spend is the mapping's side of it. The connection, whose context ctx is, may have ended before the store answers, and then nobody else ends the mapping.
func (pm *portMapping) spend(ctx context.Context, connection string) (store.Mapping, error) {
	spent, err := pm.relay.storeSpent(pm.mapping(), connection)
	if err != nil {
		return spent, err
	}
	pm.update(spent)
	if ctx.Err() != nil {
		pm.connectionEnded(connection)
	}
	return spent, nil
}

// connectionEnded ends a one-time mapping with the connection that used it up.
func (pm *portMapping) connectionEnded(connection string) {
	if pm.mapping().SpentBy == connection {
		pm.relay.mappings.timers.Go(func() { // not on the connection's goroutine, which the end waits for
			pm.relay.expire(pm, func() bool { return true })
		})
	}
}
