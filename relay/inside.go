package relay

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"minato/relay/console"
)

// insideConn is the client of a connection that begins in the relay itself: the console's, on behalf of a browser. It has the browser's address, so
// that the mapping's ranges and limits judge it as any other client.
type insideConn struct {
	net.Conn // a pipe's end
	from     netip.AddrPort
}

func (c insideConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.from) }

// CloseWrite closes the whole: a pipe cannot end by halves, and what the console carries needs both directions.
func (c insideConn) CloseWrite() error { return c.Close() }

// dialMapping connects the console through a mapping. The request carries the credentials of who wants it, which takes an operator as making the
// mapping does; then the connection is judged, counted, logged and cut like one from outside. There is no TLS on it: the browser's own leg is the
// console's. It returns when the device is connected; a *console.Refusal says why it is not. A connection ends soon after its user may not make it any more.
func (r *Relay) dialMapping(req *http.Request, addr netip.AddrPort) (*console.Connection, error) {
	c := &call{Request: req, caller: caller(req), header: http.Header{}}
	pm, err := r.mappingForCall(c, addr)
	if err != nil {
		return nil, refusalOf(c, r.errorAnswer(req, err))
	}
	ctx, done := pm.enter()
	if ctx == nil { // ended since it was found
		return nil, refusalOf(c, noMappingAt(addr))
	}
	ours, theirs := net.Pipe()
	conn := newConnection(pm, insideConn{theirs, c.caller})
	connected, ended := make(chan struct{}), make(chan struct{})
	conn.inside = func() { close(connected) }
	ctx, cut := context.WithCancelCause(ctx)
	go conn.serve(ctx, func() { // ends with the connection, or leaves it to the splice; ctx, or closing the pipe, ends both
		cut(nil)
		close(ended)
	})
	go func() { // ends with the connection
		r.guard(c, pm, ended, cut)
		done()
	}()
	select {
	case <-connected:
		return &console.Connection{Conn: ours, ID: conn.id, SIMID: pm.SIMID, DevicePort: pm.DevicePort}, nil
	case <-ended:
	case <-req.Context().Done():
		cut(errGone)
		<-ended
	}
	ours.Close()
	cause := Cause(conn.entry.Code)
	return nil, &console.Refusal{Code: string(cause), Message: cause.Text(c.lang()), Detail: inEnglish(conn.entry.End), DetailCode: conn.entry.End.Code, DetailArgs: conn.entry.End.Args}
}

// refusalOf is an error answer of the API, for the console.
func refusalOf(c *call, e *apiError) *console.Refusal {
	return &console.Refusal{Code: e.code, Message: e.text.in(c.lang())}
}

// guardInterval is how long a connection may outlive what its user may do.
const guardInterval = 15 * time.Second

// guard waits for the end of a connection, and makes it when its user may not have it any more: signed out, revoked, with another role or other SIMs.
func (r *Relay) guard(c *call, pm *portMapping, ended <-chan struct{}, cut context.CancelCauseFunc) {
	again := newReminder(r.cfg.Clock, guardInterval)
	defer again.end()
	for {
		select {
		case <-ended:
			return
		case <-again.C:
		}
		if !r.mayKeep(c, pm.SIMID) {
			cut(errNotAllowed)
			<-ended
			return
		}
		again.set()
	}
}

// mayKeep tells whether the call would still be let connect to a SIM. What cannot be looked up now is looked up the next time: a store or a directory that
// fails for a moment ends nobody's work.
func (r *Relay) mayKeep(c *call, simID string) bool {
	if err := r.mayConnect(c); err != nil {
		return !errors.As(err, new(*apiError))
	}
	sees, err := r.filter(c.Context(), c.scope())
	return err != nil || sees(simID)
}

// mayConnect authenticates a call for connecting.
func (r *Relay) mayConnect(c *call) error {
	if err := r.authenticate(c); err != nil {
		return err
	}
	if !mayAct(c.who.role, RoleOperator) {
		return forbidden(c.who.role, RoleOperator)
	}
	return nil
}

// mappingForCall is the open mapping at an address, if the call may connect through it.
func (r *Relay) mappingForCall(c *call, addr netip.AddrPort) (*portMapping, error) {
	if err := r.mayConnect(c); err != nil {
		return nil, err
	}
	if err := r.callRates.check(c, r.cfg.Clock.Now()); err != nil {
		return nil, err
	}
	inside, err := r.filter(c.Context(), c.scope())
	if err != nil {
		return nil, err
	}
	if pm := r.mappings.get(addr); pm != nil && inside(pm.SIMID) {
		return pm, nil
	}
	return nil, noMappingAt(addr)
}

func noMappingAt(addr netip.AddrPort) *apiError {
	return apiErrorf(http.StatusNotFound, codeNoMapping, "there is no port mapping at %s port %s", addr.Addr(), addr.Port())
}

// newConsole wires the console to this relay: it works through the API, and connects through mappings.
func (r *Relay) newConsole() (*console.Console, error) {
	return console.New(console.Config{Logger: r.log, OperatorID: operatorID, API: r.apiHandler(), Dial: r.dialMapping, HostKeys: hostKeys{r}})
}

// hostKeys are the SSH host keys of devices in the store, which is open while the relay serves.
type hostKeys struct{ *Relay }

var _ console.HostKeys = hostKeys{}

func (h hostKeys) HostKey(ctx context.Context, simID string) ([]byte, error) {
	return h.store.HostKey(ctx, simID)
}

func (h hostKeys) PinHostKey(ctx context.Context, simID string, key []byte) error {
	return h.store.PutHostKey(ctx, simID, key)
}
